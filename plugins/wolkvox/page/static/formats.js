// Numbers, dates and durations as the reader writes them.
import { locale, zone } from "./locale.js";
import { isNothing } from "./nothing.js";

const NOTHING = "–";
const formatters = new Map();

function formatter(options) {
  const key = JSON.stringify([locale(), options]);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale(), options));
  return formatters.get(key);
}

// "a. m." stays in one line with its time.
const unbroken = (text) => text.replace(/\s([ap])\.\s?m\./, "\u00a0$1.\u00a0m.");

export const number = (value) => (isNothing(value) ? NOTHING : value.toLocaleString(locale()));

/** Date and time to the second. */
export const timestamp = (iso) =>
  iso
    ? unbroken(formatter({ dateStyle: "short", timeStyle: "medium", timeZone: zone() }).format(new Date(iso)))
    : NOTHING;

/** The time of day to the second. */
export const timeOfDay = (date) => unbroken(formatter({ timeStyle: "medium", timeZone: zone() }).format(date));

/** Hour and minute of a timestamp in seconds. */
export const hourLabel = (seconds) =>
  formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone() }).format(
    new Date(seconds * 1000),
  );

/** Day and month, in the operation's zone, of a timestamp in seconds. */
export const dayLabel = (seconds, timeZone) =>
  formatter({ month: "short", day: "numeric", timeZone }).format(new Date(seconds * 1000));

/** A calendar day, given as 2026-01-31. */
export const day = (iso) => formatter({ dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));

/** A timestamp near `now`: the time alone where it is on the same day. */
export function soon(iso, now = new Date()) {
  const then = new Date(iso);
  const date = formatter({ dateStyle: "short", timeZone: zone() });
  const time = { hour: "numeric", minute: "2-digit", timeZone: zone() };
  const isToday = date.format(then) === date.format(now);
  const options = isToday ? time : { weekday: "short", day: "numeric", month: "short", ...time };
  return unbroken(formatter(options).format(then));
}

/** A share of 1; only all of it is 100 %. */
export function percent(share) {
  if (isNothing(share)) return NOTHING;
  const shown = share < 1 ? Math.min(share, 0.999) : 1;
  return shown.toLocaleString(locale(), {
    style: "percent",
    maximumFractionDigits: shown < 0.1 || shown > 0.9 ? 1 : 0,
  });
}

const parts = (first, unit, second, smallUnit) =>
  second ? `${number(first)} ${unit} ${second} ${smallUnit}` : `${number(first)} ${unit}`;

/** A length of time in its two largest units. */
export function duration(seconds) {
  if (isNothing(seconds)) return NOTHING;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return parts(hours, "h", minutes % 60, "min");
  return parts(Math.floor(hours / 24), "d", hours % 24, "h");
}

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** The same for a tick of an axis, in one unit. */
export function tick(seconds) {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${number(Math.round((10 * seconds) / size) / 10)} ${unit}`;
}

/** The same where there is hardly any room. */
export function compact(seconds) {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${number(Math.round(seconds / size))}${unit[0]}`;
}

/** The name of a weekday, 1 being Monday. */
export const weekday = (day) =>
  formatter({ weekday: "short", timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, day)));

/** How long ago a timestamp was; one that is still to come was just now. */
export const age = (iso, now = Date.now()) => duration(Math.max(0, (now - new Date(iso)) / 1000));
