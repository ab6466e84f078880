// What became of a customer's contacts, as texts.
import { channel } from "./content.js";
import { timestamp } from "./formats.js";
import { explain, say } from "./texts.js";

/** What is known of a contact beside its events, in one line. */
export function contactNote(contact) {
  const { cod_act: code, protected_until: until, superseded_by: later } = contact;
  return [
    channel(contact),
    code && say("customer.code", { code }),
    until && say("customer.protected", { timestamp: timestamp(until) }),
    later && say("customer.superseded_by", { timestamp: timestamp(later) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

export const contactName = ({ type_campaign: type, campaign_id: id, campaign_name: name }) =>
  [type ?? "?", id ?? "?", name].filter(Boolean).join(" ");

function when({ name, at, until }) {
  if (name === "waiting") return at ? say("customer.next_attempt", { timestamp: timestamp(at) }) : "";
  return until ? `${timestamp(at)} → ${timestamp(until)}` : timestamp(at);
}

/** An event: when, what, why, and what wolkvox answered (`answer`, null without a request). */
export function eventTexts(event) {
  const isRequest = event.name === "sent";
  const what = say(`event.${event.name}`, { number: event.requests ?? 0 });
  return {
    when: when(event),
    what,
    state: isRequest ? say(`state.${event.state}`) : null,
    why: event.reason ? `${explain(event.reason) ?? event.reason} (${event.reason})` : null,
    answer: isRequest ? [event.code, event.message].filter(Boolean).join(" · ") || null : null,
  };
}
