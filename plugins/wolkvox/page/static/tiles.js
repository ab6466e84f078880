// The tiles of the first screen: four large ones with what they were before, and four small ones.
// Each has a title, a value, notes below it, and may have a meter, a trend and a sparkline.
import { age, duration, number, percent, soon } from "./formats.js";
import { isNothing } from "./nothing.js";
import { counted, say } from "./texts.js";

const NOTICED = 1.2; // times as much before a figure counts as another one

/** Whether a figure went up or down, which is better; null where there is nothing to compare. */
export function trend(now, before) {
  if (isNothing(now) || isNothing(before)) return null;
  if (now > before * NOTICED) return { way: "up", is: "worse" };
  if (now * NOTICED < before) return { way: "down", is: "better" };
  return { way: "same", is: "same" };
}

// Of shares near to all, what is missing is what counts.
function trendOfShare({ share: now }, { share: before } = {}) {
  if (isNothing(now) || isNothing(before)) return null;
  const { is } = trend(1 - now, 1 - before);
  return { way: is === "same" ? is : is === "worse" ? "down" : "up", is };
}

const BLOCKED = { outage: "tile.blocked_outage", paused: "tile.blocked_paused" };
const BEFORE = { 1: "tile.yesterday", 7: "tile.last_week" };
const compared = (before, format) =>
  before.map(({ days, ...hour }) => say(BEFORE[days], { value: format(hour) })).join(" · ");

function lastHour({ fresh, fresh_before: before, hours }) {
  const values = {
    contacts: counted("contacts", fresh.records),
    p95: duration(fresh.p95),
    slowest: duration(fresh.worst),
  };
  return {
    title: say("tile.fresh"),
    value: duration(fresh.p50),
    trend: trend(fresh.p50, before[0]?.p50),
    spark: hours.lag_p50,
    notes: [
      fresh.records ? say("tile.fresh_notes", values) : say("tile.fresh_none"),
      compared(before, ({ p50 }) => duration(p50)),
    ],
  };
}

function share({ fresh, fresh_before: before, lag_target: target }) {
  return {
    title: say("tile.share", { target: duration(target) }),
    value: percent(fresh.share),
    trend: trendOfShare(fresh, before[0]),
    meter: isNothing(fresh.share)
      ? null
      : { min: 0, max: 1, value: fresh.share, low: 0.5, high: 0.95, optimum: 1, "aria-label": percent(fresh.share) },
    notes: [compared(before, (hour) => percent(hour.share))],
  };
}

/** What of the waiting records can't be sent now, and why. */
const halted = ({ suspended, deferred }) => [
  suspended ? say("tile.suspended", { number: suspended }) : null,
  deferred ? say("tile.deferred", { number: deferred }) : null,
];

function waiting({ today, hours }) {
  const oldest = today.oldest_waiting && age(today.oldest_waiting);
  const some = today.suspended + today.deferred > 0;
  return {
    title: say("tile.waiting"),
    value: number(today.waiting),
    trend: trend(today.waiting, hours.waiting.at(-2)),
    spark: hours.waiting,
    notes: [
      oldest ? say("tile.waiting_oldest", { age: oldest }) : say("tile.waiting_none"),
      some ? say("tile.sendable", { number: today.sendable }) : null,
      ...halted(today),
    ],
  };
}

function refused({ today: { rejected, invalid, failed }, days }) {
  const values = { rejected, invalid: counted("invalid", invalid), failed };
  return {
    title: say("tile.refused"),
    value: number(rejected + invalid + failed),
    spark: days.refused.map((count, place) => count + days.failed[place]),
    notes: [say("tile.refused_notes", values)],
  };
}

function requests({ requests: made, limit, left, resets_at: reset }) {
  const known = limit !== null;
  return {
    title: say("tile.requests"),
    value: known ? say("tile.requests_of", { requests: made, limit }) : number(made),
    meter: limit
      ? { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: made, "aria-label": say("tile.requests_share") }
      : null,
    notes: [
      left === null
        ? say("tile.requests_no_limit", { timestamp: soon(reset) })
        : say("tile.requests_left", { number: left, timestamp: soon(reset) }),
    ],
  };
}

function forecast({ waiting: records, sendable, blocked_by: by, backlog_ends_at: end }) {
  if (records === 0) return [say("tile.backlog_none"), null];
  if (sendable === 0) return [say("tile.backlog_nothing"), null];
  if (by) return [say("tile.backlog_unknown"), say(BLOCKED[by])];
  return [end ? soon(end) : say("tile.backlog_never"), say("tile.backlog_notes")];
}

function backlogEnd(today) {
  const [value, note] = forecast(today);
  return { title: say("tile.backlog_end"), value, notes: [note, ...halted(today)] };
}

/** All of them, in the order in which they stand: `large` and `small` ones. */
export function tiles(overview) {
  const { today } = overview;
  const { coded, lag_p50: median, lag_p95: p95 } = today;
  return {
    large: [lastHour(overview), share(overview), waiting(overview), refused(overview)],
    small: [
      { title: say("tile.coded"), value: number(coded), notes: [say("tile.coded_notes")] },
      requests(today),
      backlogEnd(today),
      { title: say("tile.lag"), value: duration(median), notes: [say("tile.lag_notes", { p95: duration(p95) })] },
    ],
  };
}
