// Tables that their headings sort; the order stands in the address.
import { address, read } from "./address.js";
import { $, element, node, show } from "./dom.js";
import { number } from "./formats.js";
import { nextOrder, readOrders, sorted, totals, writeOrders } from "./sorting.js";
import { say } from "./texts.js";

const orders = readOrders(read(location.search).sort);
const filled = new Map(); // by table: its columns, its rows, and how its columns are called

export function fill(table, columns, rows, heading = (name) => say(`column.${name}`)) {
  filled.set(table, { columns, rows, heading });
  const order = orders.get(table);
  const head = columns.map((column) => headCell(table, column, heading(column.name), order));
  const body = sorted(rows, columns, order).map((row) =>
    element("tr", {}, ...columns.map(({ kind, cell }) => element("td", { class: kind }, node(cell(row) ?? "–")))),
  );
  const parts = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)];
  const sums = totals(rows, columns);
  if (sums)
    parts.push(
      element("tfoot", {}, element("tr", {}, ...sums.map((sum, place) => sumCell(sum, columns[place], place)))),
    );
  show($(table), ...parts);
}

function headCell(table, { name, kind, value }, title, order) {
  const direction = order?.column === name ? (order.down ? "descending" : "ascending") : null;
  const sort = { type: "button", class: "sort", "data-sort": name, "data-table": table };
  const content = value ? element("button", { ...sort, title: say("column.sort", { column: title }) }, title) : title;
  return element("th", { class: kind, scope: "col", "aria-sort": value && direction }, content);
}

function sumCell(sum, { kind }, place) {
  if (place === 0) return element("th", { class: kind, scope: "row" }, say("column.total"));
  return element("td", { class: kind }, sum === null ? "" : number(sum));
}

/** Fill the tables again, in another language for instance. */
export function fillAgain() {
  for (const [table, { columns, rows, heading }] of filled) fill(table, columns, rows, heading);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.sort");
  if (!button) return;
  const { table, sort } = button.dataset;
  orders.set(table, nextOrder(orders.get(table), sort));
  history.replaceState(history.state, "", address({ ...read(location.search), sort: writeOrders(orders) }));
  const { columns, rows, heading } = filled.get(table);
  fill(table, columns, rows, heading);
});
