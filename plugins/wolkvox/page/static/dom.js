// Elements. Text reaches the page through textContent and attributes only.
import { isNothing } from "./nothing.js";

export const $ = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (!isNothing(value) && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => !isNothing(child)));
  return made;
}

/** What content.js describes: a text, a link, a meter, each with a small line below where it has a note. */
export function node(content) {
  if (typeof content !== "object") return content;
  if (content.meter) return element("meter", content.meter);
  const main = labelled(content);
  return content.note ? element("span", {}, main, element("br"), element("small", {}, content.note)) : main;
}

function labelled({ href, airflow, text, class: kind, title }) {
  if (href) return element("a", { href }, text);
  if (airflow) return element("a", { href: `../${airflow}`, "data-airflow": true }, text);
  return kind ? element("span", { class: kind, title }, text) : text;
}

/** New content in the place of the old: what is the same stays, and with it the focus and what is selected. */
export function show(place, ...content) {
  Idiomorph.morph(place, content, { morphStyle: "innerHTML", restoreFocus: false });
}

/** A text, hidden where there is none; untouched while it is the same, for screen readers speak what changes. */
export function setText(place, text) {
  place.hidden = !text;
  if (place.textContent !== (text ?? "")) place.textContent = text ?? "";
}
