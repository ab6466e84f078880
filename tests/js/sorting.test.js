import assert from "node:assert/strict";
import { test } from "node:test";
import { nextOrder, readOrders, sorted, totals, writeOrders } from "../../plugins/wolkvox/page/static/sorting.js";

const COLUMNS = [
  { name: "name", value: (row) => row.name },
  { name: "count", value: (row) => row.count, total: true },
  { name: "note" },
];
const ROWS = [
  { name: "b", count: 10 },
  { name: null, count: 9 },
  { name: "á", count: null },
];
const names = (rows) => rows.map((row) => row.name);

test("rows come in the order of a column: numbers by value, texts as people sort them, nothing first", () => {
  assert.deepEqual(names(sorted(ROWS, COLUMNS, { column: "count", down: true })), ["b", null, "á"]);
  assert.deepEqual(names(sorted(ROWS, COLUMNS, { column: "name", down: false })), [null, "á", "b"]);
});

test("rows stay as they are without an order, or with one of a column that is not sorted by", () => {
  for (const order of [undefined, { column: "note" }, { column: "gone" }]) {
    assert.deepEqual(sorted(ROWS, COLUMNS, order), ROWS);
  }
});

test("sorting leaves the rows that came alone", () => {
  const before = [...ROWS];
  sorted(ROWS, COLUMNS, { column: "count", down: false });
  assert.deepEqual(ROWS, before);
});

test("what adds up to something is added up, from two rows on", () => {
  assert.deepEqual(totals(ROWS, COLUMNS), [null, 19, null]);
  assert.equal(totals(ROWS.slice(1, 2), COLUMNS), null);
  assert.equal(totals(ROWS, [COLUMNS[0]]), null);
});

test("orders survive the address", () => {
  const orders = readOrders(["campaigns~rejected~down", "runs~run~up"]);
  assert.deepEqual(orders.get("campaigns"), { column: "rejected", down: true });
  assert.deepEqual(writeOrders(orders), ["campaigns~rejected~down", "runs~run~up"]);
  assert.deepEqual([...readOrders(undefined)], []);
});

test("a heading sorts the largest first, then the other way round", () => {
  const first = nextOrder(undefined, "count");
  assert.deepEqual(first, { column: "count", down: true });
  assert.deepEqual(nextOrder(first, "count"), { column: "count", down: false });
  assert.deepEqual(nextOrder(first, "name"), { column: "name", down: true });
});
