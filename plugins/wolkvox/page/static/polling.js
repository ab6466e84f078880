// Asks again and again: one request after another, and less and less often while they fail.

/** Milliseconds to wait after so many failures in a row. */
export const delay = (failures, every, longest) => Math.min(longest, every * 2 ** failures);

/**
 * Poll with `work`, which says whether it went well.
 *
 * The next poll begins `every` milliseconds after the last one has ended, so that none overlaps with another; after
 * failures it waits twice as long each time, up to `longest`.
 *
 * `now()` polls at once, or waits for the poll under way.
 */
export function poller(work, { every, longest, timers = globalThis }) {
  let failures = 0;
  let timer = null;
  let running = null;

  async function poll() {
    timers.clearTimeout(timer);
    const ok = await work().catch((error) => {
      console.error(error);
      return false;
    });
    failures = ok ? 0 : failures + 1;
    running = null;
    timer = timers.setTimeout(now, delay(failures, every, longest));
  }

  function now() {
    running ??= poll();
    return running;
  }

  return { now };
}
