// The first line: whether contacts come in and go out.
import { age, moment, soon } from "./formats.js";
import { counted, say } from "./words.js";

/**
 * What is said, and of what times.
 *
 * The `sentence` stays the same while nothing changes, for screen readers speak each new one; the `times` grow with
 * every look.
 */
export function health(found, now = Date.now()) {
  const moments = {
    dag: found.dag,
    ended: moment(found.last_ended_at),
    undelivered: moment(found.undelivered_since),
    uncounted: moment(found.uncounted_since),
  };
  const sentences = found.problems.map((name) => say(`health.${name}`, moments));
  if (sentences.length === 0) sentences.push(say("health.good"));
  if (found.suspended) sentences.push(say("health.suspended", { number: found.suspended }));
  return { isGood: found.problems.length === 0, sentence: sentences.join(" "), times: times(found, now) };
}

function times(found, now) {
  const { last_ended_at: ended, last_state: state, newest, left, problems } = found;
  return [
    ended ? say("health.last", { ended: age(ended, now), state: say(`run.${state}`) }) : null,
    newest ? say("health.newest", { newest: age(newest, now) }) : say("health.no_contact"),
    left === null || problems.includes("quota") ? null : say("health.left", { number: left }),
  ]
    .filter(Boolean)
    .join(" ");
}

/** What keeps everything from being sent, and when it is tried again. */
export const outage = ({ since, until, message, reason }, explanation) =>
  [
    say("outage.since", { since: moment(since) }),
    explanation ?? reason,
    say("outage.next", { until: soon(until) }),
    message ? say("outage.detail", { message }) : null,
  ]
    .filter(Boolean)
    .join(" ");

/** Chunks that no task has begun. */
export const unstarted = ({ since, run, chunks, records }) =>
  say("unstarted.text", {
    since: moment(since),
    run,
    chunks: counted("chunks", chunks),
    records: counted("records", records),
  });
