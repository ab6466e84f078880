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

function labelled({ href, airflow, text, class: kind, title, does, record }) {
  if (does)
    return element("button", { type: "button", class: "link", "data-does": does, "data-record": record, title }, text);
  if (href) return element("a", { href }, text);
  if (airflow) return element("a", { href: `../${airflow}`, "data-airflow": true }, text);
  return kind ? element("span", { class: kind, title }, text) : text;
}

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [100, 24];

/** A line without axes, of the figures that there are; null where there are fewer than two. */
export function sparkline(values) {
  const known = values.filter((value) => !isNothing(value));
  if (known.length < 2) return null;
  const most = Math.max(...known, 1);
  const step = WIDTH / (values.length - 1);
  const at = (value, place) =>
    `${(place * step).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`;
  const points = values.map((value, place) => (isNothing(value) ? null : at(value, place))).filter(Boolean);
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  const picture = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    class: "spark",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  }))
    picture.setAttribute(name, value);
  picture.append(line);
  return picture;
}

/** New content in the place of the old: what is the same stays, and with it the focus and what is selected. */
export function show(place, ...content) {
  const there = content.filter((one) => !isNothing(one));
  Idiomorph.morph(place, there, { morphStyle: "innerHTML", restoreFocus: false });
}

/** A text, hidden where there is none; untouched while it is the same, for screen readers speak what changes. */
export function setText(place, text) {
  place.hidden = !text;
  if (place.textContent !== (text ?? "")) place.textContent = text ?? "";
}
