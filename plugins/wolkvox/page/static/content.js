// What a cell or a line holds, without the DOM: a text, or a text with what it leads to.
import { address } from "./address.js";
import { explain, say } from "./words.js";

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

/** A reason with its sentence below it, and the records that have it. */
export const reason = (code, wanted) =>
  code ? noted(wanted ? toRecords(wanted, code) : { text: code, class: "code" }, explain(code)) : null;

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
