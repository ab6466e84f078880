// The first line, and what to do now: how the operation is, since when, and who can do what about it.
import { toAirflow, toRecords } from "./content.js";
import { age, duration, soon, timestamp } from "./formats.js";
import { counted, explain, say } from "./texts.js";

const WAITING = ["pending", "sending"];
const REJECTED = ["rejected", "failed"];

/**
 * The first line: a `level` (well, off, look or bad), what is said, and of what times.
 *
 * The `sentence` stays the same while nothing changes, for screen readers speak each new one; the `times` grow with
 * every look.
 */
export function health(found, now = Date.now()) {
  return { level: levelOf(found), sentence: headline(found), times: times(found, now) };
}

const levelOf = ({ level, off_until: off }) => (level === "well" && off ? "off" : level);

function headline({ findings, level, off_until: off, dag }) {
  if (level === "well") return off ? say("health.off", { until: soon(off) }) : say("health.good");
  const [worst, ...others] = findings;
  return [
    level === "look" ? say("health.look") : null,
    sentence(worst, dag),
    others.length ? say("health.more", { number: others.length }) : null,
  ]
    .filter(Boolean)
    .join(" ");
}

function sentence(found, dag) {
  const values = {
    dag,
    number: found.number,
    since: timestamp(found.since),
    until: found.until && soon(found.until),
    target: duration(found.target),
    what: found.alert && alertName(found.alert),
  };
  return say(`health.${found.name}`, values);
}

// "red:refusals" and "suspended:preview 17" are of a kind
const kindOf = (alert) => alert.split(":")[0];

function alertName(alert) {
  const key = `alert.${kindOf(alert)}`;
  const name = say(key);
  return name === key ? alert : name;
}

function times({ last_ended_at: ended, last_state: state, newest, left, findings }, now) {
  return [
    ended ? say("health.last", { ended: age(ended, now), state: say(`run.${state}`) }) : null,
    newest ? say("health.newest", { newest: age(newest, now) }) : say("health.no_contact"),
    left === null || findings.some(({ name }) => name === "quota") ? null : say("health.left", { number: left }),
  ]
    .filter(Boolean)
    .join(" ");
}

/** What needs somebody, the worst first: what, its figures, since when, what to do, and where. */
export function todo(overview, now = Date.now()) {
  const { findings, dag } = overview.health;
  return findings.map((found) => ({
    level: found.level,
    sentence: sentence(found, dag),
    detail: detail(found, overview, now),
    since: found.since ? say("todo.since", { since: timestamp(found.since), age: age(found.since, now) }) : null,
    action: action(found, overview),
    link: link(found, overview),
  }));
}

const DETAILS = {
  lag: ({ p50, p95 }) => say("todo.lag", { p50: duration(p50), p95: duration(p95) }),
  outage: (_, { outage: open }) => open && outage(open, explain(open.reason)),
  unstarted: (_, { unstarted: chunks }) => chunks && unstarted(chunks),
  waiting: ({ records, oldest }, _, now) =>
    say("todo.waiting", { records: counted("records", records), age: age(oldest, now) }),
  suspended: ({ records }) => (records ? say("todo.suspended", { records: counted("records", records) }) : null),
  alert: ({ message }) => message,
};

const detail = (found, overview, now) => DETAILS[found.name]?.(found, overview, now) ?? null;

function action({ name, alert }, { may_edit: mayEdit }) {
  const keys = [alert && `do.alert_${kindOf(alert)}`, mayEdit ? `do.${name}_edit` : null, `do.${name}`];
  return (
    keys
      .filter(Boolean)
      .map((key) => [key, say(key)])
      .find(([key, text]) => text !== key)?.[1] ?? null
  );
}

const LINKS = {
  paused: ({ dag }, { may_edit: mayEdit }) => mayEdit && toAirflow(`dags/${dag}`, say("link.resume")),
  late: ({ dag }) => toAirflow(`dags/${dag}`, say("link.dag")),
  never: ({ dag }) => toAirflow(`dags/${dag}`, say("link.dag")),
  failed: ({ dag, last_run: run }) => run && toAirflow(`dags/${dag}/runs/${encodeURIComponent(run)}`, say("link.run")),
  unstarted: (_, { unstarted: chunks }) => chunks && toRecords({ run: chunks.run, dag: chunks.dag }, say("link.run")),
  lag: () => ({ href: "#charts", text: say("link.charts") }),
  waiting: () => toRecords({ state: WAITING }, say("link.records")),
  suspended: () => ({ href: "#suspended-section", text: say("link.campaigns") }),
  quota: () => toRecords({ state: WAITING }, say("link.records")),
};
const ALERT_LINKS = { refusals: REJECTED, red: REJECTED, invalid: ["invalid"], opening: WAITING };

function link({ name, alert }, overview) {
  const states = alert && ALERT_LINKS[kindOf(alert)];
  if (states) return toRecords({ state: states }, say("link.records"));
  return LINKS[name]?.(overview.health, overview) || null;
}

/** What keeps everything from being sent, and when it is tried again. */
export const outage = ({ since, until, message, reason }, explanation) =>
  [
    say("outage.since", { since: timestamp(since) }),
    explanation ?? reason,
    say("outage.next", { until: soon(until) }),
    message ? say("outage.detail", { message }) : null,
  ]
    .filter(Boolean)
    .join(" ");

/** Chunks that no task has begun. */
export const unstarted = ({ since, run, chunks, records }) =>
  say("unstarted.text", {
    since: timestamp(since),
    run,
    chunks: counted("chunks", chunks),
    records: counted("records", records),
  });
