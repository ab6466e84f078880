// Headings that name what is on screen.
import { day } from "./formats.js";
import { say } from "./texts.js";

export const STATES = ["pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired", "held"];

function filters(asked) {
  const states = (asked.state ?? []).filter((name) => STATES.includes(name));
  const { type_campaign: type, campaign_id: campaign, run, chunk, reason, dialled } = asked;
  return [
    campaign || type ? say("records.of_campaign", { campaign: `${type ?? ""} ${campaign ?? ""}`.trim() }) : null,
    run ? say("records.of_run", { run }) : null,
    chunk ? say("records.chunk", { chunk }) : null,
    states.map((name) => say(`state.${name}`)).join(say("records.or")),
    reason ? say("records.because", { reason }) : null,
    dialled ? say("records.dialled", { how: say(`breach.${dialled}`) }) : null,
  ];
}

function days({ since, until }) {
  const named = (iso) => (iso ? day(iso) : "…");
  return since || until ? say("records.days", { since: named(since), until: named(until) }) : null;
}

/** What the records on screen have in common. */
export const recordsTitle = (asked) =>
  `${say("records.title")} ${[...filters(asked), days(asked)].filter(Boolean).join(", ")}`.trim();

/** A heading that names the days of its figures, the last 30 where none are chosen. */
export const titleOfDays = (key, chosen) =>
  chosen ? say(`${key}_days`, { since: day(chosen.since), until: day(chosen.until) }) : say(key);
