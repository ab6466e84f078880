// The figures of a chart, as its picture needs them.

/** Pairs of steps that an axis of whole numbers may have: 1, 2, 5, 10, 20, … */
export const WHOLE_STEPS = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();

/** Seconds that an axis of times may go by. */
const LAG_STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 432000, 864000, 2592000];

/** The ends of a logarithmic axis of seconds, around all that is on it. */
export function lagRange(values) {
  const known = values.filter((value) => value > 0);
  return [Math.max(1, Math.min(...known) / 2), Math.max(...known) * 2];
}

const MOST_TICKS = 6;

/** The seconds between the ends that have a tick. */
export function lagTicks([from, to]) {
  const inside = LAG_STEPS.filter((step) => step >= from && step <= to);
  const every = Math.ceil(inside.length / MOST_TICKS);
  return inside.filter((_, place) => place % every === 0);
}

/** Bars that stand on one another: of each place, what it and those below it add up to. */
export function stacked(bars) {
  const sums = [];
  for (const bar of bars) sums.push(bar.map((value, place) => value + (sums.at(-1)?.[place] ?? 0)));
  return sums;
}

/** How many places apart labels stand that don't touch, in a room of so many pixels. */
export const labelStep = (widest, count, room) => Math.max(1, Math.ceil((widest * count) / Math.max(1, room)));

/** The places that have a label: every `step`th, the last one among them. */
export const labelled = (count, step) =>
  Array.from({ length: count }, (_, place) => place).filter((place) => (count - 1 - place) % step === 0);

/** The end of an axis, above the largest value. */
export const ceiling = (max, least) => (max > 0 ? Math.max(least, max * 1.1) : least);
