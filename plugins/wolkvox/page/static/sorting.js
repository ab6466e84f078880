// Rows in the order of a column, and what they add up to. A column's `value` is what its rows are compared by.
import { isNothing } from "./nothing.js";

function compare(one, other) {
  if (one === other || (isNothing(one) && isNothing(other))) return 0;
  if (isNothing(one)) return -1;
  if (isNothing(other)) return 1;
  return typeof one === "number" ? one - other : String(one).localeCompare(String(other));
}

/** The rows in the order that was chosen (`{ column, down }`), as they came where none was. */
export function sorted(rows, columns, order) {
  const value = columns.find((column) => column.name === order?.column)?.value;
  if (!value) return rows;
  return [...rows].sort((one, other) => compare(value(one), value(other)) * (order.down ? -1 : 1));
}

/** The sum of each column that has one, null for the others; null where there is nothing to add. */
export function totals(rows, columns) {
  if (rows.length < 2 || !columns.some((column) => column.total)) return null;
  return columns.map(({ total, value }) => (total ? rows.reduce((sum, row) => sum + (value(row) ?? 0), 0) : null));
}

/** The orders of an address by table, written as table~column~down. */
export function readOrders(texts = []) {
  const parts = texts.map((text) => text.split("~"));
  return new Map(parts.map(([table, column, down]) => [table, { column, down: down === "down" }]));
}

export const writeOrders = (orders) =>
  [...orders].map(([table, { column, down }]) => `${table}~${column}~${down ? "down" : "up"}`);

/** The order after a click on a heading: the largest first, then the other way round. */
export const nextOrder = (order, column) => ({ column, down: order?.column === column ? !order.down : true });
