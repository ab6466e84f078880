import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ceiling,
  labelled,
  labelStep,
  lagRange,
  lagTicks,
  stacked,
  WHOLE_STEPS,
} from "../../plugins/wolkvox/page/static/chart-data.js";
import * as columns from "../../plugins/wolkvox/page/static/columns.js";
import { warmth } from "../../plugins/wolkvox/page/static/heat.js";
import { problems } from "../../plugins/wolkvox/page/static/problem-list.js";
import { problem } from "../../plugins/wolkvox/page/static/problems.js";
import { columnsOf, RECORDS } from "../../plugins/wolkvox/page/static/record-columns.js";
import { totals } from "../../plugins/wolkvox/page/static/sorting.js";
import { say } from "../../plugins/wolkvox/page/static/texts.js";
import { contactName, contactNote, eventTexts } from "../../plugins/wolkvox/page/static/timeline.js";
import { reads } from "./reader.js";

const TABLES = [
  columns.AGES,
  columns.CAMPAIGNS,
  columns.SUSPENDED,
  columns.PROBLEMS,
  columns.SERVICE_BY_CAMPAIGN,
  columns.SERVICE_BY_CHANNEL,
  columns.RUNS,
  columns.IMPACT_BY_CAMPAIGN,
  columns.IMPACT_BY_DAY,
  columns.lagSensitivity([]),
  RECORDS,
];

const cell = (table, name, row) => table.find((column) => column.name === name).cell(row);

beforeEach(() => reads("en"));

test("each column has a heading in both languages", () => {
  for (const language of ["en", "es"]) {
    reads(language);
    for (const { name } of TABLES.flat()) assert.notEqual(say(`column.${name}`), `column.${name}`, name);
  }
});

test("a campaign has one name wherever it stands, with what wolkvox calls it below", () => {
  const row = { type_campaign: "preview", campaign_id: "15501", name: "Cobranza", status: "stopped" };
  const shown = cell(columns.CAMPAIGNS, "campaign", row);
  assert.deepEqual(shown, {
    href: "?type_campaign=preview&campaign_id=15501",
    text: "preview 15501",
    note: "Cobranza · stopped in wolkvox",
  });
  assert.equal(cell(columns.SUSPENDED, "campaign", row).text, "preview 15501");
  assert.equal(
    cell(columns.IMPACT_BY_CAMPAIGN, "campaign", { type_campaign: "preview", campaign_id: "1" }),
    "preview 1",
  );
});

test("rows without any campaign lead to what is invalid", () => {
  const shown = cell(columns.CAMPAIGNS, "campaign", { type_campaign: null, campaign_id: null });
  assert.deepEqual(shown, { href: "?state=invalid", text: "? ?" });
});

test("a count leads to its records, and none leads nowhere", () => {
  const row = { type_campaign: "preview", campaign_id: "1", waiting: 1_200, coded: 0 };
  const shown = cell(columns.CAMPAIGNS, "waiting", row);
  assert.deepEqual(shown, { href: "?type_campaign=preview&campaign_id=1&state=pending&state=sending", text: "1,200" });
  assert.equal(cell(columns.CAMPAIGNS, "coded", row), "0");
});

test("what several runs offered again is not added up", () => {
  const run = { records: 25, coded: 5, rejected: 1, failed: 0, pending: 19 };
  const sums = totals([run, run], columns.RUNS);
  const named = Object.fromEntries(columns.RUNS.map(({ name }, place) => [name, sums[place]]));
  assert.deepEqual([named.coded, named.rejected, named.failed], [10, 2, 0]);
  assert.deepEqual([named.records, named.pending], [null, null]);
});

test("a run that was never sent to a DAG of its own leads to its rows", () => {
  const shown = cell(RECORDS, "run", { dag_run_id: "a+b", dag_id: null });
  assert.deepEqual(shown, { href: "?run=a%2Bb", text: "a+b" });
  assert.equal(cell(RECORDS, "run", { dag_run_id: null, dag_id: null }), null);
});

test("a record leads to its task's log in Airflow", () => {
  const path = "dags/a/runs/b/tasks/codify/mapped/2";
  assert.deepEqual(cell(RECORDS, "log", { task_path: path, chunk_number: 1_003 }), {
    airflow: path,
    text: "chunk 1003",
  });
  assert.equal(cell(RECORDS, "log", { task_path: path, chunk_number: null }).text, "stage");
  assert.equal(cell(RECORDS, "log", { task_path: null, chunk_number: null }), null);
});

test("a channel is named with whether both spoke", () => {
  assert.equal(cell(RECORDS, "channel", { channel: "whatsapp", direct: false }), "whatsapp, no direct contact");
  assert.equal(cell(RECORDS, "channel", { channel: null, direct: null }), null);
});

test("bars of the lag's sensitivity are as long as the longest one allows", () => {
  const rows = [
    { minutes: 1, dials: 8 },
    { minutes: 5, dials: 1 },
  ];
  const { meter } = cell(columns.lagSensitivity(rows), "share", rows[1]);
  assert.deepEqual(meter, { min: 0, max: 8, value: 1, "aria-label": "1 call" });
  assert.equal(cell(columns.lagSensitivity([{ minutes: 1, dials: 0 }]), "share", { dials: 0 }).meter.max, 1);
});

test("a record's customer opens its time line, by the record's number", () => {
  const shown = cell(RECORDS, "customer", { id: 7, customer_id: "•••021" });
  assert.deepEqual([shown.does, shown.record, shown.text], ["open", 7, "•••021"]);
  assert.equal(cell(RECORDS, "customer", { id: 7, customer_id: null }), null);
});

test("a list of dials says when and why, and leaves out columns that are empty in all rows", () => {
  const nothing = { channel: null, direct: null };
  const row = {
    id: 1,
    customer_id: "•••",
    state: "coded",
    attempts: 1,
    contacted_at: "2026-03-01T15:00:00Z",
    ...nothing,
  };
  const names = (rows) => columnsOf(rows).map(({ name }) => name);
  assert.deepEqual(names([row]), ["customer", "campaign", "state", "contacted", "requests"]);
  const dialled = { ...row, dialled_at: "2026-03-01T16:00:00Z", breach: "vendor" };
  assert.ok(names([row, dialled]).includes("dialled_at") && names([row, dialled]).includes("cause"));
  assert.match(cell(RECORDS, "dialled_at", dialled), /11:00/);
  assert.equal(cell(RECORDS, "cause", dialled).text, "although codified");
  assert.deepEqual(columnsOf([]), RECORDS);
});

test("problems are what was refused, what is suspended and who was dialled, the most frequent first", () => {
  reads("es");
  const rows = problems({
    reasons: [{ state: "rejected", reason: "not_found", records: 5, message: "NO" }],
    suspended: [
      {
        type_campaign: "preview",
        campaign_id: "17",
        name: "Cobranza",
        reason: "not_found",
        message: "404",
        waiting: 9,
      },
    ],
    breaches: [{ cause: "vendor", contacts: 7 }],
  });
  assert.deepEqual(
    rows.map(({ kind, records }) => [kind, records]),
    [
      ["suspended", 9],
      ["dialled", 7],
      ["rejected", 5],
    ],
  );
  const shown = rows.map((row) => cell(columns.PROBLEMS, "problem", row));
  assert.deepEqual(shown[0], {
    href: "?type_campaign=preview&campaign_id=17&state=pending",
    text: "La campaña preview 17 Cobranza está en pausa automática",
    note: "wolkvox no tiene esa campaña o ese cliente.",
  });
  assert.equal(shown[1].href, "?dialled=vendor");
  assert.deepEqual([shown[2].text, shown[2].note], ["wolkvox no tiene esa campaña o ese cliente.", "not_found"]);
  assert.equal(cell(columns.PROBLEMS, "kind", rows[0]).text, "en pausa automática");
  assert.equal(cell(columns.PROBLEMS, "kind", rows[2]).text, "rechazado");
});

test("an event of a time line says when, what, why, and what was answered", () => {
  const event = {
    name: "sent",
    at: "2026-03-01T15:00:00Z",
    until: "2026-03-01T15:00:01Z",
    state: "rejected",
    reason: "refused_422",
    code: "422",
    message: "<b>NO</b>",
    requests: null,
  };
  const texts = eventTexts(event);
  assert.match(texts.when, /10:00:00.+ → .+10:00:01/);
  assert.equal(texts.state, "rejected");
  assert.equal(texts.why, "wolkvox rejected it; its message says why. (refused_422)");
  assert.equal(texts.answer, "422 · <b>NO</b>");
});

test("an event without a request has no answer, and requests of long ago are counted", () => {
  const waiting = eventTexts({ name: "waiting", at: "2026-03-01T15:00:00Z", reason: null });
  assert.deepEqual([waiting.state, waiting.why, waiting.answer], [null, null, null]);
  assert.match(waiting.when, /^next attempt after /);
  assert.equal(eventTexts({ name: "waiting", at: null }).when, "");
  assert.equal(eventTexts({ name: "earlier", requests: 1 }).what, "1 earlier request whose answer was not kept");
  assert.equal(eventTexts({ name: "earlier", requests: 2 }).what, "2 earlier requests whose answers were not kept");
});

test("a contact is named by its campaign, and by what is known of it beside", () => {
  const contact = {
    type_campaign: "preview",
    campaign_id: "1",
    campaign_name: "Cobranza",
    channel: "sms",
    direct: true,
  };
  assert.equal(contactName(contact), "preview 1 Cobranza");
  assert.equal(contactName({}), "? ?");
  assert.equal(contactNote({ ...contact, cod_act: "5" }), "sms, direct contact · code 5");
});

test("what went wrong is said in the reader's language, the server's own detail after it", () => {
  reads("es");
  assert.equal(problem(401, null), "Su sesión terminó: inicie sesión en Airflow de nuevo y recargue esta página.");
  assert.equal(
    problem(503, { key: "setting", problem: "A connection is missing.", detail: "The conn_id `x` isn't defined" }),
    "Falta una conexión o está incompleta.",
  );
  assert.equal(problem(429, { detail: "Too many searches" }), "Demasiadas búsquedas en un minuto: espere un poco.");
  assert.equal(problem(500, null), "Airflow informa un error; el log de su api-server dice cuál.");
  assert.equal(problem(503, { problem: "Of another release." }), "Of another release.");
  assert.equal(problem(500, { detail: [{ loc: [] }] }), "Airflow informa un error; el log de su api-server dice cuál.");
});

test("days and minutes stand on one axis, with ticks that don't crowd it", () => {
  const range = lagRange([null, 240, 400, 130_000, 360]);
  assert.deepEqual(range, [120, 260_000]);
  const ticks = lagTicks(range);
  assert.ok(ticks.length >= 3 && ticks.length <= 6, ticks);
  assert.ok(ticks.every((one) => one >= 120 && one <= 260_000));
  assert.deepEqual(lagRange([0.1, 360]), [1, 720]);
});

test("a lag is the warmer the further it is from the target", () => {
  assert.deepEqual(
    [100, 180, 181, 360, 361, 1_080, 1_081, 3_600, 3_601].map((lag) => warmth(lag, 360)),
    [0, 0, 1, 1, 2, 2, 3, 3, 4],
  );
});

test("bars stand on one another", () => {
  assert.deepEqual(
    stacked([
      [1, 2],
      [3, 0],
      [0, 5],
    ]),
    [
      [1, 2],
      [4, 2],
      [4, 7],
    ],
  );
});

test("labels stand as far apart as the widest one needs, the last one always among them", () => {
  assert.equal(labelStep(50, 24, 1_200), 1);
  assert.equal(labelStep(50, 24, 1_199), 2);
  assert.equal(labelStep(50, 24, -20), 1_200);
  assert.deepEqual(labelled(6, 2), [1, 3, 5]);
});

test("an axis ends above its largest value, and one without values is not flat", () => {
  assert.deepEqual(
    [ceiling(0, 60), ceiling(null, 60), ceiling(10, 60), ceiling(100, 60)].map(Math.round),
    [60, 60, 60, 110],
  );
  assert.deepEqual(WHOLE_STEPS.slice(0, 5), [1, 2, 5, 10, 20]);
});
