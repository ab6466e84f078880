// One customer: what became of each contact, the evidence of it, and a run for this one alone.
import { downloadEvidence, sendCustomer } from "./actions.js";
import { state as stateContent, toAirflow, toRecords } from "./content.js";
import { $, element, node, setText, show } from "./dom.js";
import { post } from "./requests.js";
import { counted, say } from "./texts.js";
import { contactName, contactNote, eventTexts } from "./timeline.js";

const FIRST = 50; // contacts shown at once

let asked = null; // the customer on screen: never in the address, nor kept anywhere else
let found = null;
let isWhole = false; // whether all contacts are shown

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
    ask: showAsk,
    send,
    more: showAll,
  };
  $("found").addEventListener("click", ({ target }) => actions[target.dataset?.does]?.(target));
  $("rows").addEventListener("click", ({ target }) => {
    if (target.dataset?.does === "open") open(Number(target.dataset.record));
  });
}

/** The time line of a record's customer, whose id nobody types. */
async function open(record) {
  await search({ record, full: false });
  $("customer").scrollIntoView();
  $("found").querySelector("h3")?.focus();
}

async function search(customer) {
  const response = await post("customer", customer);
  if (!response) return;
  asked = customer;
  found = await response.json();
  isWhole = false;
  renderCustomer();
}

function close() {
  asked = null;
  found = null;
  $("found").hidden = true;
  $("customer-id").value = "";
}

const WAITING = ["pending", "sending"];
const button = (does) =>
  element(
    "button",
    { type: "button", class: does === "send" ? "primary" : null, "data-does": does },
    say(`customer.${does}`),
  );

export function renderCustomer() {
  if (!found) return;
  const { contacts, customer, may_trigger: mayTrigger } = found;
  const title = say("customer.found", { customer, contacts: counted("contacts", contacts.length) });
  const actions = ["pdf", "csv", mayTrigger ? "ask" : null, "close"].filter(Boolean);
  const shown = isWhole ? contacts : contacts.slice(0, FIRST);
  $("found").hidden = false;
  show(
    $("found"),
    element("h3", { tabindex: -1 }, title),
    found.left_out ? element("p", { class: "warning" }, say("customer.left_out", { number: found.left_out })) : null,
    element("p", { class: "buttons" }, ...actions.map(button)),
    element("div", { id: "sending", hidden: true }),
    element("p", { id: "sent", role: "status" }),
    contacts.length
      ? element("ol", { class: "contacts" }, ...shown.map(contactItem))
      : element("p", {}, say("customer.none")),
    shown.length < contacts.length
      ? element("p", {}, say("customer.rest", { number: contacts.length - shown.length }), " ", button("more"))
      : null,
  );
}

function showAll() {
  isWhole = true;
  renderCustomer();
}

// What a run would do is said before it is asked for.
function showAsk() {
  const waits = found.contacts.filter(({ state }) => WAITING.includes(state)).length;
  const said = waits ? say("customer.will_send", { number: waits }) : say("customer.will_send_none");
  $("sending").hidden = false;
  const named = found.contacts.length ? null : say("customer.id_in_run");
  show($("sending"), element("p", {}, said, " ", named), element("p", { class: "buttons" }, button("send")));
  $("sending").querySelector("button").focus();
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
  if (!sent) return;
  $("sending").hidden = true;
  const run = `dags/${sent.dag}/runs/${encodeURIComponent(sent.run)}`;
  setText($("sent"), say(sent.paused ? "customer.sent_paused" : "customer.sent", { run: sent.run }));
  $("sent").append(" ", node(toAirflow(run, say("link.run"))));
}
