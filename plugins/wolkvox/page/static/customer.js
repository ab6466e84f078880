// One customer: what became of each contact, the evidence of it, and a run for this one alone.
import { complain, tell } from "./asking.js";
import { $, element, show, toRecords } from "./elements.js";
import { explain, language, moment, number, say } from "./words.js";

let asked = null; // the customer on screen: never in the address, nor kept anywhere else
let found = null;

export function allow({ may_see_ids: maySeeIds }) {
  $("customer-full-label").hidden = !maySeeIds;
}

export function wire() {
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search({ customer_id: $("customer-id").value, full: $("customer-full").checked });
  });
  $("look-up").disabled = false; // until now, nobody would have taken the form
  $("found").addEventListener("click", (event) => {
    const does = { close, pdf: () => download("pdf"), csv: () => download("csv"), send: () => send(event.target) }[event.target.dataset?.does];
    if (does) does();
  });
}

async function search(customer) {
  const response = await tell("customer", customer);
  if (!response) return;
  complain("");
  asked = customer;
  found = await response.json();
  render();
}

function close() {
  asked = found = null;
  $("found").hidden = true;
  $("customer-id").value = "";
}

export function render() {
  if (!found) return;
  const count = found.contacts.length;
  const action = (does, key) => element("button", { type: "button", "data-does": does }, say(key));
  $("found").hidden = false;
  show(
    $("found"),
    element("h3", {}, say(count === 1 ? "customer.found_one" : "customer.found", { customer: found.customer, number: number(count) })),
    element("p", { class: "buttons" }, action("pdf", "customer.pdf"), action("csv", "customer.csv"), found.may_trigger ? action("send", "customer.send") : null, action("close", "customer.close")),
    element("p", { id: "sent", role: "status" }),
    count ? element("ol", { class: "contacts" }, ...found.contacts.map(contact)) : element("p", {}, say("customer.none")),
  );
}

function contact(of) {
  const reached = [of.channel, of.direct === null ? null : say(of.direct ? "direct.yes" : "direct.no"), of.cod_act && say("customer.code", { code: of.cod_act })];
  const until = of.protected_until && say("customer.protected", { moment: moment(of.protected_until) });
  const later = of.superseded_by && say("customer.superseded_by", { moment: moment(of.superseded_by) });
  return element(
    "li",
    {},
    element("h4", {}, `${[of.type_campaign ?? "?", of.campaign_id ?? "?", of.campaign_name].filter(Boolean).join(" ")} · `, element("span", { class: `state state-${of.state}`, title: say(`state.${of.state}.help`) }, say(`state.${of.state}`))),
    element("p", { class: "soft" }, [...reached, until, later].filter(Boolean).join(" · ")),
    element("ol", { class: "events" }, ...of.events.map((event) => happened(event, of))),
  );
}

function happened(event, of) {
  const answer = event.name === "called" ? [event.code, event.words].filter(Boolean).join(" · ") : null;
  const state = event.name === "called" ? say(`state.${event.state}`) : null;
  const until = event.until ? ` → ${moment(event.until)}` : "";
  const when = event.name === "waiting" ? (event.at ? say("customer.next_try", { moment: moment(event.at) }) : "") : `${moment(event.at)}${until}`;
  return element(
    "li",
    {},
    element("time", { datetime: event.at }, when),
    " ",
    element("strong", {}, say(`event.${event.name}`, { number: event.calls })),
    state ? `: ${state}` : null,
    event.reason ? element("span", {}, " – ", explain(event.reason) ?? event.reason, " (", event.reason, ")") : null,
    answer ? element("q", {}, answer) : null,
    event.run ? element("span", {}, " ", toRecords({ run: event.run, dag: of.dag_id }, event.run)) : null,
  );
}

async function download(kind) {
  const response = await tell(`evidence.${kind}`, { ...asked, language: language() });
  if (!response) return;
  const link = element("a", { href: URL.createObjectURL(await response.blob()), download: `wolkvox-evidence.${kind}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function send(button) {
  button.disabled = true;
  const response = await tell("send", asked);
  if (!response) return;
  const { run, paused } = await response.json();
  $("sent").textContent = say(paused ? "customer.sent_paused" : "customer.sent", { run });
}
