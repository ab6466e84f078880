// The page's texts: a key, and values for the places in it.
import { number } from "./formats.js";
import { language } from "./locale.js";

let texts = {};

export function setTexts(catalogue) {
  texts = catalogue;
}

const plurals = new Map();

// A text with several forms has one for each CLDR plural category that its language tells apart; `other` fits all.
function form(forms, count) {
  if (typeof forms === "string") return forms;
  if (!plurals.has(language())) plurals.set(language(), new Intl.PluralRules(language()));
  return forms[plurals.get(language()).select(count)] ?? forms.other;
}

/** The text of a key, its form chosen by `values.number`; numbers are written as the reader writes them. */
export function say(key, values = {}) {
  if (!(key in texts)) return key;
  return form(texts[key], values.number).replaceAll(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

/** So many of something: 1 record, 2 records. */
export const counted = (noun, count) => say(`count.${noun}`, { number: count });

const INVALID = "invalid.";

/** A reason in one sentence, null where there is none; those that end in an HTTP status have one in common. */
export function explain(reason) {
  if (!reason) return null;
  for (const key of [`reason.${reason}`, `reason.${reason.replace(/_\d{3}$/, "")}`]) if (key in texts) return say(key);
  const kinds = Object.keys(texts).filter((key) => key.startsWith(INVALID));
  const kind = kinds.map((key) => key.slice(INVALID.length)).find((one) => reason.endsWith(`_${one}`));
  return kind ? say(`${INVALID}${kind}`, { field: reason.slice(0, -kind.length - 1) }) : null;
}
