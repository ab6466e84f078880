// The lag by hour and weekday, as a table of coloured cells.
import { element, show } from "./dom.js";
import { compact, duration, number, weekday } from "./formats.js";
import { counted, say } from "./texts.js";

const DAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const STEPS = [0.5, 1, 3, 10]; // times the target, up to which a lag has its colour

/** The colour of a lag: 0 is far below the target, 4 far above it. */
export const warmth = (seconds, target) => STEPS.filter((step) => seconds > step * target).length;

function cell(found, target) {
  if (!found) return element("td", {});
  const { p50, records } = found;
  const title = say("heat.cell", { lag: duration(p50), contacts: counted("contacts", records) });
  return element("td", { class: `heat-${warmth(p50, target)}`, title }, compact(p50));
}

/** Fill a table, a weekday a row. */
export function fillHeat(table, heat, target) {
  const found = new Map(heat.map((one) => [`${one.weekday} ${one.hour}`, one]));
  const heads = HOURS.map((hour) => element("th", { scope: "col" }, number(hour)));
  const rows = DAYS.map((day) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, weekday(day)),
      ...HOURS.map((hour) => cell(found.get(`${day} ${hour}`), target)),
    ),
  );
  show(
    table,
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, say("heat.hour")), ...heads)),
    element("tbody", {}, ...rows),
  );
}
