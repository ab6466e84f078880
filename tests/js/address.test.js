import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as address from "../../plugins/wolkvox/page/static/address.js";
import { reads } from "./reader.js";

beforeEach(() => reads("en"));

test("a state survives its address", () => {
  const state = {
    state: ["pending", "sending"],
    reason: "a+b &c=d",
    since: "2026-01-31",
    sort: ["rows~code~down"],
    full: "true",
  };
  assert.deepEqual(address.read(address.address(state)), state);
});

test("an empty value is kept, for it asks for records without one; null asks for nothing", () => {
  assert.equal(address.address({ campaign_id: "", reason: null, run: undefined }), "?campaign_id=");
  assert.deepEqual(address.read("?campaign_id="), { campaign_id: "" });
});

test("names that objects have of their own are names like any other", () => {
  assert.deepEqual(address.pick(address.read("?constructor=1&__proto__=2"), ["run", "dag"]), {});
  assert.equal(address.viewOf(address.read("?toString=1")), "overview");
});

test("the screen follows from what is asked for", () => {
  const views = ["", "?since=2026-01-31", "?view=runs", "?view=records", "?chunk=3", "?view=runs&state=coded"];
  assert.deepEqual(
    views.map((search) => address.viewOf(address.read(search))),
    ["overview", "overview", "history", "records", "records", "records"],
  );
});

test("the operation on screen goes into every address, unless another one is asked for", () => {
  address.setOperation("sales");
  assert.equal(address.address({ run: "a" }), "?run=a&operation=sales");
  assert.equal(address.address({ operation: "0041" }), "?operation=0041");
  address.setOperation(undefined);
  assert.equal(address.address({ run: "a" }), "?run=a");
});

test("each screen asks for its own part of the address", () => {
  const state = address.read("?tab=x&run=a&since=2026-01-31&sort=runs~run~up&full=true&state=coded");
  assert.equal(String(address.query(address.recordsOf(state))), "state=coded&run=a&since=2026-01-31&full=true");
  assert.equal(String(address.query(address.overviewOf(state))), "since=2026-01-31&tab=x");
  assert.equal(String(address.query(address.historyOf(state))), "since=2026-01-31&dag=x");
});

test("whole ids are a word of the address that can be taken out again", () => {
  const state = address.read("?run=a");
  assert.equal(address.withWholeIds(state, true), "?run=a&full=true");
  assert.equal(address.withWholeIds(address.read("?run=a&full=true"), false), "?run=a");
});
