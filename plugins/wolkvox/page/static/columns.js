// The tables of the first screen: each column has a name, and of each row its `cell` and its `value` to sort by.
// `total`: the values add up to something.
import * as content from "./content.js";
import { day, duration, number, percent, timestamp } from "./formats.js";
import { counted, say } from "./texts.js";

const text = (name, kind, cell, value) => ({ name, kind, cell, value });
const count = (name) => ({ name, kind: "number", cell: (row) => number(row[name]), value: (row) => row[name] });
const summed = (name) => ({ ...count(name), total: true });
const time = (name) =>
  text(
    name,
    "nowrap",
    (row) => timestamp(row[name]),
    (row) => row[name],
  );

const campaignKeys = ({ type_campaign, campaign_id }) => ({ type_campaign, campaign_id });

export const AGES = [text("age", "nowrap", (row) => say(`age.${row.up_to}`)), summed("records")];

const WAITING = ["pending", "sending"];
const KINDS = { suspended: "problem.suspended", dialled: "problem.dialled" }; // beside the states

function countOfState(name) {
  const wanted = (row) => ({ ...campaignKeys(row), state: name === "waiting" ? WAITING : [name] });
  const cell = (row) => (row[name] ? content.toRecords(wanted(row), number(row[name])) : "0");
  return { ...summed(name), cell };
}

// Rows without any campaign are invalid ones.
const recordsOfCampaign = (row) => (row.campaign_id || row.type_campaign ? campaignKeys(row) : { state: ["invalid"] });

export const CAMPAIGNS = [
  text("campaign", "nowrap", (row) => content.campaign(row, recordsOfCampaign(row)), content.campaignName),
  ...["waiting", "coded", "rejected", "failed", "invalid", "superseded", "expired", "held"].map(countOfState),
  text(
    "last_run",
    "text",
    (row) => row.last_run && content.toRecords({ run: row.last_run }, row.last_run),
    (row) => row.last_run,
  ),
  time("oldest_waiting"),
];

export const SUSPENDED = [
  text(
    "campaign",
    "nowrap",
    (row) => content.campaign(row, { ...campaignKeys(row), state: ["pending"] }),
    content.campaignName,
  ),
  text("why", "text", (row) => content.reason(row.reason)),
  text("message", "text", (row) => row.message),
  time("since"),
  time("until"),
  summed("waiting"),
];

/** What went wrong, by reason: what was refused, what waits for its campaign, who was dialled all the same. */
export const PROBLEMS = [
  text(
    "problem",
    "text",
    (row) => content.noted(content.toRecords(row.wanted, row.sentence), row.note),
    (row) => row.sentence,
  ),
  text(
    "kind",
    "",
    (row) => (row.kind in KINDS ? { text: say(KINDS[row.kind]), class: "badge badge-look" } : content.state(row.kind)),
    (row) => row.kind,
  ),
  count("records"),
  text("example", "text", (row) => row.message),
];

// A run offers again what others left: records and pending ones of several runs don't add up.
export const RUNS = [
  text(
    "run",
    "text",
    (row) => content.toRecords({ run: row.run, dag: row.dag }, row.run),
    (row) => row.run,
  ),
  time("began_at"),
  text(
    "began_by",
    "",
    (row) => row.began_by && say(`began_by.${row.began_by}`),
    (row) => row.began_by,
  ),
  text(
    "seconds",
    "nowrap",
    (row) => duration(row.seconds),
    (row) => row.seconds,
  ),
  text(
    "state",
    "",
    (row) => ({ text: say(`run.${row.state}`), class: `run-${row.state}` }),
    (row) => row.state,
  ),
  text(
    "stopped",
    "",
    (row) => row.stopped && say(`stopped.${row.stopped}`),
    (row) => row.stopped,
  ),
  count("records"),
  ...["coded", "rejected", "failed"].map(summed),
  count("pending"),
];

function dialled(when) {
  const name = `dialled_${when}`;
  const wanted = (row) => ({ ...campaignKeys(row), dialled: when });
  const cell = (row) =>
    row[name] && row.campaign_id ? content.toRecords(wanted(row), number(row[name])) : number(row[name]);
  return { ...summed(name), cell };
}

const IMPACT = [summed("coded"), summed("calls_prevented"), dialled("before"), dialled("after")];

export const IMPACT_BY_CAMPAIGN = [
  text("campaign", "nowrap", (row) => content.campaign(row), content.campaignName),
  ...IMPACT,
];

export const IMPACT_BY_DAY = [
  text(
    "day",
    "nowrap",
    (row) => day(row.day),
    (row) => row.day,
  ),
  ...IMPACT,
];

/** How many calls a shorter lag would have prevented; the bars are as long as the longest one allows. */
export function lagSensitivity(rows) {
  const most = Math.max(1, ...rows.map((row) => row.dials));
  const bar = ({ dials }) => ({
    meter: { min: 0, max: most, value: dials, "aria-label": counted("calls", dials) },
  });
  return [
    text("minutes", "nowrap", (row) => duration(60 * row.minutes)),
    count("dials"),
    text("share", "bar", bar),
  ].map(({ value, ...column }) => column);
}

const percentOf = ({ share }) => percent(share);
const SHARE = [
  text("share_within", "number", percentOf, ({ share }) => share),
  text(
    "p95",
    "number",
    ({ p95 }) => duration(p95),
    ({ p95 }) => p95,
  ),
  count("records"),
];

/** The share of contacts that came within the target. */
export const SERVICE_BY_CAMPAIGN = [
  text("campaign", "nowrap", (row) => content.campaign(row, campaignKeys(row)), content.campaignName),
  ...SHARE,
];
export const SERVICE_BY_CHANNEL = [
  text(
    "channel",
    "nowrap",
    ({ channel }) => channel ?? say("service.no_channel"),
    ({ channel }) => channel,
  ),
  ...SHARE,
];
