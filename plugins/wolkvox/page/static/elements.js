// Building blocks. Text from the ledger reaches the page through textContent and attributes only.
import { number, say } from "./words.js";

export const $ = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// New content in the place of the old: what is the same stays, and with it the focus and what is selected.
export function show(place, ...content) {
  Idiomorph.morph(place, content, { morphStyle: "innerHTML", restoreFocus: false });
}

// The operation on screen goes into every address, where there are several.
let operation = new URLSearchParams(location.search).get("operation");
export const ofOperation = (name = operation) => (operation = name);

export const toAirflow = (path, text) => element("a", { href: `../${path}`, "data-airflow": true }, text);
export const address = (wanted) => `?${new URLSearchParams(Object.entries({ ...wanted, operation }).filter(([, value]) => value !== null && value !== undefined))}`;
export const toRecords = (wanted, text) => element("a", { href: address(wanted) }, text);

// --- tables: columns are [name, class, row => text or node, row => what it is sorted by and added up from]

const sorting = new Map(new URLSearchParams(location.search).getAll("sort").map((text) => text.split("~")).map(([table, column, down]) => [table, { column, down: down === "down" }]));
const filled = new Map(); // what each table was filled with

export function fill(table, columns, rows, { totals = false, heading = (name) => say(`column.${name}`) } = {}) {
  filled.set(table.id, { columns, rows, totals, heading });
  const sorted = sorting.get(table.id);
  const by = sorted && columns.find(([name, , , value]) => name === sorted.column && value)?.[3];
  const shown = by ? [...rows].sort((one, other) => compare(by(one), by(other)) * (sorted.down ? -1 : 1)) : rows;
  const cell = (name, kind, content, more = {}) => element(name, { class: kind, ...more }, content ?? "–");
  const heads = columns.map(([name, kind, , value]) => {
    const direction = by && sorted.column === name ? (sorted.down ? "descending" : "ascending") : null;
    const content = value ? element("button", { type: "button", class: "sort", "data-sort": name, "data-table": table.id, title: say("column.sort", { column: heading(name) }) }, heading(name)) : heading(name);
    return cell("th", kind, content, { scope: "col", "aria-sort": direction });
  });
  const body = shown.map((row) => element("tr", {}, ...columns.map(([, kind, of]) => cell("td", kind, of(row)))));
  const parts = [element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body)];
  if (totals && rows.length > 1) {
    const sums = columns.map(([, kind, , value], place) =>
      place === 0 ? cell("th", kind, say("column.total"), { scope: "row" }) : cell("td", kind, kind === "number" && value ? number(rows.reduce((sum, row) => sum + (value(row) ?? 0), 0)) : ""),
    );
    parts.push(element("tfoot", {}, element("tr", {}, ...sums)));
  }
  show(table, ...parts);
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return typeof one === "number" ? one - other : String(one).localeCompare(String(other));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.sort");
  if (!button) return;
  const { table, sort } = button.dataset;
  const before = sorting.get(table);
  sorting.set(table, { column: sort, down: before?.column === sort ? !before.down : true });
  const query = new URLSearchParams(location.search);
  query.delete("sort");
  for (const [name, { column, down }] of sorting) query.append("sort", `${name}~${column}~${down ? "down" : "up"}`);
  history.replaceState(history.state, "", `?${query}`);
  const { columns, rows, totals, heading } = filled.get(table);
  fill($(table), columns, rows, { totals, heading });
});
