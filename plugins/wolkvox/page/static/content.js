// What a cell or a line holds, without the DOM: a text, or a text with what it leads to.
import { address } from "./address.js";
import { explain, say } from "./texts.js";

/** A link within the page to records. */
export const toRecords = (wanted, text) => ({ href: address(wanted), text });

/** A link to a page of Airflow's, given as a path below its root. */
export const toAirflow = (path, text) => ({ airflow: path, text });

/** With a small line below, where there is one. */
export const noted = (content, note) =>
  note ? { ...(typeof content === "string" ? { text: content } : content), note } : content;

/** A state of a record. */
export const state = (name) => ({
  text: say(`state.${name}`),
  class: `state state-${name}`,
  title: say(`state.${name}.help`),
});

/** A reason as a sentence, its code below it, and the records that have it. */
export function reason(code, wanted) {
  if (!code) return null;
  const sentence = explain(code) ?? code;
  return noted(wanted ? toRecords(wanted, sentence) : sentence, sentence === code ? null : code);
}

/** A customer, who opens the time line of the record's own. */
export const customer = ({ id, customer_id: shown }) =>
  shown && { does: "open", record: id, text: shown, title: say("customer.open") };

export const campaignName = (row) => `${row.type_campaign ?? "?"} ${row.campaign_id ?? "?"}`;

/** A campaign with what wolkvox calls it, and whether it is stopped there. */
export function campaign(row, wanted) {
  const name = campaignName(row);
  const stopped = row.status === "stopped" ? say("campaigns.stopped") : null;
  const note = [row.name, stopped].filter(Boolean).join(" · ");
  return noted(wanted ? toRecords(wanted, name) : name, note);
}

/** On which channel a customer was reached, and whether in person; null where neither is known. */
export function channel({ channel: name, direct }) {
  const reached = direct === null ? null : say(direct ? "direct.yes" : "direct.no");
  return [name, reached].filter(Boolean).join(", ") || null;
}
