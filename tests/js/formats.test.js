import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as formats from "../../plugins/wolkvox/page/static/formats.js";
import { pickLanguage, pickLocale, readZone } from "../../plugins/wolkvox/page/static/locale.js";
import { reads } from "./reader.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(() => reads("en"));

test("a length of time is written in its two largest units, without one that is nothing", () => {
  const written = [0, 89.4, 90, 2 * HOUR, 2 * HOUR + 5 * MINUTE, DAY, 2 * DAY, 2 * DAY + 3 * HOUR].map(
    formats.duration,
  );
  assert.deepEqual(written, ["0 s", "89 s", "2 min", "2 h", "2 h 5 min", "24 h", "2 d", "2 d 3 h"]);
});

test("the reader's language writes the decimals of an axis", () => {
  assert.deepEqual([30, 90, 1.5 * HOUR, 1.5 * DAY].map(formats.tick), ["30 s", "1.5 min", "1.5 h", "1.5 d"]);
  reads("es");
  assert.equal(formats.tick(1.5 * DAY), "1,5 d");
});

test("what is unknown is a dash", () => {
  assert.deepEqual([formats.number(null), formats.duration(undefined), formats.timestamp(null)], ["–", "–", "–"]);
  assert.equal(formats.number(0), "0");
});

test("times are those of the reader's zone", () => {
  assert.match(formats.timestamp("2026-03-01T02:00:00Z"), /2\/28\/26, 9:00:00\sPM/);
  reads("en", "Asia/Tokyo");
  assert.match(formats.timestamp("2026-03-01T02:00:00Z"), /3\/1\/26, 11:00:00\sAM/);
});

test("a time of today is the time alone, another one has its day", () => {
  const now = new Date("2026-03-01T15:00:00Z");
  assert.match(formats.soon("2026-03-01T20:30:00Z", now), /^3:30\sPM$/);
  assert.match(formats.soon("2026-03-02T15:00:00Z", now), /Mon, Mar 2.*10:00\sAM/);
});

test("a time is never cut between its numbers and its half of the day", () => {
  reads("es");
  const now = new Date("2026-03-01T15:00:00Z");
  const written = [
    formats.timestamp("2026-03-01T20:30:00Z"),
    formats.timeOfDay(now),
    formats.soon("2026-03-01T20:30:00Z", now),
  ];
  for (const text of written) assert.match(text, /:\d\d\u00a0[ap]\.\u00a0m\.$/);
});

test("a calendar day is the same day in every zone", () => {
  reads("en", "Pacific/Kiritimati");
  assert.equal(formats.day("2026-01-31"), "Jan 31, 2026");
});

test("what is to come was just now", () => {
  assert.equal(formats.age("2026-03-01T15:00:10Z", Date.parse("2026-03-01T15:00:00Z")), "0 s");
});

test("Airflow's language counts, then the browser's, then English", () => {
  assert.equal(pickLanguage(["es", "en-US"]), "es");
  assert.equal(pickLanguage([null, "fr-FR", "es-MX"]), "es");
  assert.equal(pickLanguage([null, "fr-FR"]), "en");
});

test("numbers are those of the browser's country, where it speaks the language", () => {
  assert.equal(pickLocale("es", ["en-US", "es-MX"]), "es-MX");
  assert.equal(pickLocale("es", ["en-US"]), "es-CO");
  assert.equal(pickLocale("en", ["es-MX"]), "en");
});

test("a zone is read as either release of Airflow keeps it, and the browser's stands for one that is none", () => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  assert.equal(readZone('"Asia/Tokyo"'), "Asia/Tokyo");
  assert.equal(readZone("Asia/Tokyo"), "Asia/Tokyo");
  for (const none of [null, '""', '"Nowhere/None"', "5", "{"]) assert.equal(readZone(none), own, String(none));
});

test("a cell of the heat map has hardly any room", () => {
  assert.deepEqual([5, 240, 37 * HOUR, 1.4 * HOUR].map(formats.compact), ["5s", "4m", "2d", "1h"]);
  reads("es");
  assert.match(formats.weekday(1), /^lun/);
  assert.match(formats.weekday(7), /^dom/);
});

test("all of something is 100 %, and nearly all of it is not", () => {
  assert.deepEqual([1, 0.99999, 0.953, 0.5, 0.01].map(formats.percent), ["100%", "99.9%", "95.3%", "50%", "1%"]);
  reads("es");
  assert.match(formats.percent(0.953), /^95,3\s?%$/);
  assert.equal(formats.percent(null), "–");
});
