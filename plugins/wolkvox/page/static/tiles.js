// The tiles of the first screen: a title, a value, notes below it, and for the quota a meter.
import { age, duration, number, soon } from "./formats.js";
import { counted, say } from "./words.js";

function requests(today) {
  const { requests: made, limit, left, resets_at: reset } = today;
  const known = limit !== null;
  return {
    title: say("tile.requests"),
    value: known ? say("tile.requests_of", { requests: made, limit }) : number(made),
    meter: limit
      ? { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: made, "aria-label": say("tile.requests_share") }
      : null,
    notes: [
      left === null
        ? say("tile.requests_no_limit", { moment: soon(reset) })
        : say("tile.requests_left", { number: left, moment: soon(reset) }),
    ],
  };
}

function waiting(today) {
  const oldest = today.oldest_waiting && age(today.oldest_waiting);
  return {
    title: say("tile.waiting"),
    value: number(today.waiting),
    notes: [
      oldest ? say("tile.waiting_oldest", { age: oldest }) : say("tile.waiting_none"),
      today.deferred ? say("tile.deferred", { number: today.deferred }) : null,
    ],
  };
}

function backlogEnd({ waiting: records, backlog_ends_at: end }) {
  const forecast = end ? soon(end) : say("tile.backlog_never");
  return {
    title: say("tile.backlog_end"),
    value: records === 0 ? say("tile.backlog_none") : forecast,
    notes: [say("tile.backlog_notes")],
  };
}

function lastHour(fresh) {
  const values = {
    contacts: counted("contacts", fresh.records),
    p95: duration(fresh.p95),
    slowest: duration(fresh.worst),
  };
  return {
    title: say("tile.fresh"),
    value: duration(fresh.p50),
    notes: [fresh.records ? say("tile.fresh_notes", values) : say("tile.fresh_none")],
  };
}

/** All of them, in the order in which they stand. */
export function tiles({ today, fresh }) {
  const { coded, rejected, invalid, failed, lag_p50: median, lag_p95: p95 } = today;
  return [
    lastHour(fresh),
    waiting(today),
    backlogEnd(today),
    requests(today),
    { title: say("tile.coded"), value: number(coded), notes: [say("tile.coded_notes")] },
    {
      title: say("tile.refused"),
      value: number(rejected + invalid),
      notes: [say("tile.refused_notes", { rejected, invalid: counted("invalid", invalid) })],
    },
    { title: say("tile.failed"), value: number(failed), notes: [say("tile.failed_notes")] },
    { title: say("tile.lag"), value: duration(median), notes: [say("tile.lag_notes", { p95: duration(p95) })] },
  ];
}
