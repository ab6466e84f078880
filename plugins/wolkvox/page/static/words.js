// The reader's language, clock and numbers: Airflow's own choice, else the browser's.

const LANGUAGES = ["en", "es"];
const FLAWS = ["missing", "not_digits", "not_text", "too_long", "not_whole", "control_characters", "not_an_id",
  "placeholder", "not_a_code", "unreadable", "out_of_range"];
const catalogues = {};
let chosen = "en";

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is switched off
  }
}

// as Airflow's UI keeps it, then as the browser asks for it
export function language() {
  const asked = [stored("i18nextLng"), ...navigator.languages].filter(Boolean);
  const known = asked.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => LANGUAGES.includes(tag));
  return known ?? "en";
}

// numbers and dates: in the reader's own country, where the browser names one of that language
export function locale() {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(chosen)) ?? (chosen === "es" ? "es-CO" : "en");
}

export async function load() {
  const wanted = language();
  catalogues[wanted] ??= await (await fetch(`static/words.${wanted}.json`)).json();
  chosen = wanted; // only now: whatever is shown meanwhile finds its words
  document.documentElement.lang = chosen;
  for (const place of document.querySelectorAll("[data-words]")) place.textContent = say(place.dataset.words);
}

export function say(key, values = {}) {
  const text = catalogues[chosen][key] ?? key;
  return text.replaceAll(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

const has = (key) => key in catalogues[chosen];

// a reason in one plain sentence; those that end in an HTTP status are all explained alike
export function explain(reason) {
  if (!reason) return null;
  for (const key of [reason, reason.replace(/_\d{3}$/, "")]) if (has(`reason.${key}`)) return say(`reason.${key}`);
  const flaw = FLAWS.find((one) => reason.endsWith(`_${one}`));
  return flaw ? say(`flaw.${flaw}`, { field: reason.slice(0, -flaw.length - 1) }) : null;
}

// Airflow keeps the zone that its reader chose as a JSON string
export function zone() {
  let name = stored("timezone");
  try {
    name = JSON.parse(name);
  } catch {
    // an older Airflow's bare name
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: name || undefined });
    return name || Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

const made = new Map();
function formatter(options) {
  const key = JSON.stringify([locale(), options]);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locale(), options));
  return made.get(key);
}

export const number = (value) => (value === null || value === undefined ? "–" : value.toLocaleString(locale()));
export const moment = (iso, more = {}) => (iso ? formatter({ dateStyle: "short", timeStyle: "medium", timeZone: zone(), ...more }).format(new Date(iso)) : "–");
export const clock = (date) => formatter({ timeStyle: "medium", timeZone: zone() }).format(date);
// of a day or an hour in a chart
export const hourLabel = (seconds) => formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone() }).format(new Date(seconds * 1000));
export const dayLabel = (seconds, timeZone) => formatter({ month: "short", day: "numeric", timeZone }).format(new Date(seconds * 1000));
export const day = (iso) => formatter({ dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));

export function soon(iso) {
  const then = new Date(iso);
  const date = formatter({ dateStyle: "short", timeZone: zone() });
  const today = date.format(then) === date.format(new Date());
  return formatter({ ...(today ? { timeStyle: "short" } : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }), timeZone: zone() }).format(then);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// of a tick in a chart's axis, which is a round one
export const roundDuration = (seconds) =>
  seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : seconds < 86400 ? `${seconds / 3600} h` : `${seconds / 86400} d`;

export const age = (iso) => duration(Math.max(0, (Date.now() - new Date(iso)) / 1000));
