import assert from "node:assert/strict";
import { test } from "node:test";
import { delay, poller } from "../../plugins/wolkvox/page/static/polling.js";

const OPTIONS = { every: 15, longest: 100 };

// Timers that ring when they are told to.
function timers() {
  const waits = [];
  const due = new Map();
  return {
    waits,
    due,
    setTimeout: (callback, wait) => {
      waits.push(wait);
      due.set(waits.length, callback);
      return waits.length;
    },
    clearTimeout: (timer) => due.delete(timer),
    ring: () => {
      const [[timer, callback]] = due;
      due.delete(timer);
      return callback();
    },
  };
}

test("the wait doubles with each failure, up to the longest", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 60].map((failures) => delay(failures, 15, 100)),
    [15, 30, 60, 100, 100],
  );
});

test("failures make polls rarer, and a success makes them as frequent as before", async () => {
  const answers = [true, false, false, true];
  const clock = timers();
  const polls = poller(async () => answers.shift(), { ...OPTIONS, timers: clock });
  await polls.now();
  for (let poll = 1; poll < 4; poll += 1) await clock.ring();
  assert.deepEqual(clock.waits, [15, 30, 60, 15]);
});

test("a poll that raises is a failure, and not the last poll", async (context) => {
  context.mock.method(console, "error", () => {});
  const clock = timers();
  const polls = poller(() => Promise.reject(new Error("no answer")), { ...OPTIONS, timers: clock });
  await polls.now();
  assert.deepEqual(clock.waits, [30]);
});

test("while a poll is under way no other one begins", async () => {
  let polled = 0;
  let answer = null;
  const clock = timers();
  const work = () => {
    polled += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const polls = poller(work, { ...OPTIONS, timers: clock });
  const [first, second] = [polls.now(), polls.now()];
  assert.equal(polled, 1);
  assert.deepEqual(clock.waits, []);
  answer(true);
  await Promise.all([first, second]);
  assert.deepEqual(clock.waits, [15]);
});

test("a poll that is asked for takes the place of the one that was due", async () => {
  const clock = timers();
  const polls = poller(async () => true, { ...OPTIONS, timers: clock });
  await polls.now();
  await polls.now();
  assert.equal(clock.due.size, 1);
});
