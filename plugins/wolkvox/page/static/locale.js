// In whose language and on whose clock the page is: what its texts, numbers and dates go by.

const LANGUAGES = ["en", "es"];
const COUNTRY = { en: "en", es: "es-CO" }; // for numbers and dates, where the browser names no country

let current = { language: "en", locale: "en", zone: "UTC" };

export const language = () => current.language;
export const locale = () => current.locale;
export const zone = () => current.zone;

export function setLocale(chosen) {
  current = { ...current, ...chosen };
}

/** The first language of the page among `tags`, in the order of preference; English where there is none. */
export function pickLanguage(tags) {
  const languages = tags.filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  return languages.find((one) => LANGUAGES.includes(one)) ?? "en";
}

/** The reader's own country, where the browser names one of that language. */
export const pickLocale = (chosen, tags) =>
  tags.find((tag) => tag.toLowerCase().split("-")[0] === chosen) ?? COUNTRY[chosen];

function parsed(stored) {
  try {
    return JSON.parse(stored);
  } catch {
    return stored; // the bare name, of older releases
  }
}

/** A time zone as Airflow keeps it, a JSON string; the browser's own where it is none. */
export function readZone(stored) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const name = parsed(stored) || own;
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return own;
  }
}
