// One customer: what became of each contact, the evidence of it, and a run for this one alone.
import { downloadEvidence, sendCustomer } from "./actions.js";
import { state as stateContent, toRecords } from "./content.js";
import { $, element, node, setText, show } from "./dom.js";
import { post } from "./requests.js";
import { contactName, contactNote, eventTexts } from "./timeline.js";
import { counted, say } from "./words.js";

let asked = null; // the customer on screen: never in the address, nor kept anywhere else
let found = null;

export function allowWholeIds({ may_see_ids: maySeeIds }) {
  $("customer-full-label").hidden = !maySeeIds;
}

export function wireCustomer() {
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search({ customer_id: $("customer-id").value, full: $("customer-full").checked });
  });
  $("look-up").disabled = false; // until now, nobody would have taken the form
  const actions = {
    close,
    pdf: () => downloadEvidence("pdf", asked),
    csv: () => downloadEvidence("csv", asked),
    send,
  };
  $("found").addEventListener("click", ({ target }) => actions[target.dataset?.does]?.(target));
}

async function search(customer) {
  const response = await post("customer", customer);
  if (!response) return;
  asked = customer;
  found = await response.json();
  renderCustomer();
}

function close() {
  asked = null;
  found = null;
  $("found").hidden = true;
  $("customer-id").value = "";
}

const button = (does) => element("button", { type: "button", "data-does": does }, say(`customer.${does}`));

export function renderCustomer() {
  if (!found) return;
  const { contacts, customer, may_trigger: mayTrigger } = found;
  const title = say("customer.found", { customer, contacts: counted("contacts", contacts.length) });
  const actions = ["pdf", "csv", mayTrigger ? "send" : null, "close"].filter(Boolean);
  $("found").hidden = false;
  show(
    $("found"),
    element("h3", {}, title),
    element("p", { class: "buttons" }, ...actions.map(button)),
    element("p", { id: "sent", role: "status" }),
    contacts.length
      ? element("ol", { class: "contacts" }, ...contacts.map(contactItem))
      : element("p", {}, say("customer.none")),
  );
}

const contactItem = (contact) =>
  element(
    "li",
    {},
    element("h4", {}, `${contactName(contact)} · `, node(stateContent(contact.state))),
    element("p", { class: "soft" }, contactNote(contact)),
    element("ol", { class: "events" }, ...contact.events.map((event) => eventItem(event, contact.dag_id))),
  );

function eventItem(event, dag) {
  const { when, what, state, why, answer } = eventTexts(event);
  return element(
    "li",
    {},
    element("time", { datetime: event.at }, when),
    " ",
    element("strong", {}, what),
    state && `: ${state}`,
    why && ` – ${why}`,
    answer && element("q", {}, answer),
    event.run && element("span", {}, " ", node(toRecords({ run: event.run, dag }, event.run))),
  );
}

async function send(sender) {
  sender.disabled = true;
  const sent = await sendCustomer(asked);
  if (sent) setText($("sent"), say(sent.paused ? "customer.sent_paused" : "customer.sent", { run: sent.run }));
}
