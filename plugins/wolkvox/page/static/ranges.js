// Days that figures are of.

/** The local day of a timestamp, as 2026-01-31. */
export const localDay = (date, timeZone) => new Date(date).toLocaleDateString("sv", { timeZone });

/**
 * The chosen days, both included: the first or the last one there is where one of them is left out; null where none is
 * chosen.
 */
export function chosenDays({ since, until }, { now, zone, days }) {
  if (!since && !until) return null;
  return { since: since ?? localDay(days.starts[0] * 1000, zone), until: until ?? localDay(now, zone) };
}
