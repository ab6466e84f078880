import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { health, outage, unstarted } from "../../plugins/wolkvox/page/static/health.js";
import { chosenDays } from "../../plugins/wolkvox/page/static/ranges.js";
import { tiles } from "../../plugins/wolkvox/page/static/tiles.js";
import { recordsTitle, titleOfDays } from "../../plugins/wolkvox/page/static/titles.js";
import { reads } from "./reader.js";

const WELL = {
  problems: [],
  dag: "wolkvox_codify",
  last_ended_at: "2026-03-01T15:00:00Z",
  last_state: "success",
  newest: "2026-03-01T14:00:00Z",
  suspended: 0,
  left: 5,
  undelivered_since: null,
  uncounted_since: null,
};
const TODAY = {
  requests: 900,
  limit: 1_000,
  left: 100,
  resets_at: "2026-03-02T05:00:00Z",
  coded: 5,
  rejected: 2,
  failed: 0,
  invalid: 1,
  lag_p50: 60,
  lag_p95: 360,
  waiting: 0,
  deferred: 0,
  oldest_waiting: null,
  backlog_ends_at: "2026-03-01T15:00:00Z",
};
const FRESH = { records: 1, p50: 60, p95: 90, worst: 90 };

const byTitle = (today, fresh = FRESH) =>
  Object.fromEntries(tiles({ today: { ...TODAY, ...today }, fresh }).map(({ title, ...tile }) => [title, tile]));

beforeEach(() => reads("en"));

test("a page on which all is well says so, and of what times", () => {
  const { isGood, sentence, times } = health(WELL);
  assert.equal(isGood, true);
  assert.equal(sentence, "It works.");
  assert.match(
    times,
    /^The last run ended .+ ago: successful\. The newest contact is .+ old\. 5 requests are left today\.$/,
  );
});

test("the sentence that is spoken stays the same while time passes", () => {
  const problems = ["late", "undelivered", "uncounted"];
  const since = "2026-03-01T15:00:00Z";
  const found = { ...WELL, problems, undelivered_since: since, uncounted_since: since };
  const before = health(found, Date.parse("2026-03-01T16:00:00Z"));
  const after = health(found, Date.parse("2026-03-01T17:00:00Z"));
  assert.equal(before.sentence, after.sentence);
  assert.match(before.times, /^The last run ended 60 min ago: .* 2 h old\./);
  assert.match(after.times, /^The last run ended 2 h ago: .* 3 h old\./);
});

test("each problem has its sentence in both languages, with since when and what to do", () => {
  const found = { ...WELL, problems: ["uncounted"], uncounted_since: "2026-03-01T15:00:00Z" };
  assert.match(
    health(found).sentence,
    /^Nobody can count the warehouse, as the run of .*10:00:00.* found: only the cron/,
  );
  assert.match(health(found).sentence, /python -m wolkvox check/);
  reads("es");
  assert.match(health(found).sentence, /^Nadie puede contar la bodega de datos, según la ejecución de .*10:00:00/);
});

test("one suspended campaign is one, and two are two", () => {
  const said = (suspended) => health({ ...WELL, suspended }).sentence;
  assert.equal(said(1), "It works. One campaign is suspended.");
  assert.equal(said(2), "It works. 2 campaigns are suspended.");
  reads("es");
  assert.equal(said(1), "Funciona. Una campaña está en pausa automática.");
  assert.equal(said(2), "Funciona. 2 campañas están en pausa automática.");
});

test("an outage is explained in the reader's language, with the next attempt, before wolkvox's own message", () => {
  reads("es");
  const open = {
    since: "2026-03-01T15:00:00Z",
    until: "2026-03-01T15:16:00Z",
    reason: "bad_token",
    message: "VALIDATE TOKEN",
  };
  const said = outage(open, "wolkvox rechazó el token.");
  assert.match(
    said,
    /^No se puede enviar nada desde .+ wolkvox rechazó el token\. Próximo intento después de .+ Detalle: VALIDATE TOKEN$/,
  );
  assert.match(outage(open, null), / bad_token Próximo intento/);
});

test("chunks that no task has begun are counted with their records", () => {
  const said = (chunks, records) => unstarted({ since: "2026-03-01T15:00:00Z", run: "a", chunks, records });
  assert.match(said(1, 1), /: 1 chunk \(1 record\) of run a\./);
  reads("es");
  assert.match(said(3, 1_200), /^Hay 3 lotes \(1\.200 registros\) sin iniciar desde /);
});

test("requests and telephone calls are told apart", () => {
  const { "Requests today": requests } = byTitle({});
  assert.equal(requests.value, "900 of 1,000");
  assert.match(requests.notes[0], /^100 left; the quota resets /);
  assert.deepEqual([requests.meter.value, requests.meter.max], [900, 1_000]);
});

test("without a known limit there is no meter", () => {
  const { "Requests today": requests } = byTitle({ limit: null, left: null });
  assert.deepEqual([requests.value, requests.meter], ["900", null]);
  assert.match(requests.notes[0], /^no limit known/);
});

test("a limit of nothing has no meter either", () => {
  assert.equal(byTitle({ limit: 0, left: 0 })["Requests today"].meter, null);
});

test("a backlog ends at a time, or never, or isn't there", () => {
  const value = (today) => byTitle(today)["Estimated end of backlog"].value;
  assert.equal(value({ waiting: 0 }), "No backlog");
  assert.equal(value({ waiting: 1, backlog_ends_at: null }), "Never at this quota");
  assert.match(value({ waiting: 1 }), /10:00/);
});

test("deferred records are counted by the one and by the many", () => {
  reads("es");
  const note = (deferred) =>
    byTitle({ waiting: 9, deferred, oldest_waiting: "2026-03-01T15:00:00Z" })["Por enviar"].notes[1];
  assert.equal(note(0), null);
  assert.equal(note(1), "1 de ellos, aplazado tras un fallo");
  assert.equal(note(120), "120 de ellos, aplazados tras un fallo");
});

test("the last hour tells of one contact as of one", () => {
  const { "From contact to wolkvox, last hour": hour } = byTitle({});
  assert.equal(hour.notes[0], "median of 1 contact; 95% within 2 min; the slowest 2 min");
  assert.equal(
    byTitle({}, { records: 0, p50: null, p95: null, worst: null })["From contact to wolkvox, last hour"].value,
    "–",
  );
});

const OVERVIEW = {
  now: "2026-03-02T03:00:00Z",
  zone: "America/Bogota",
  days: { starts: [Date.parse("2026-02-01T05:00:00Z") / 1000] },
};

test("chosen days are named, the first or last one there is for one that is left out", () => {
  assert.equal(chosenDays({}, OVERVIEW), null);
  assert.deepEqual(chosenDays({ since: "2026-02-20" }, OVERVIEW), { since: "2026-02-20", until: "2026-03-01" });
  assert.deepEqual(chosenDays({ until: "2026-02-20" }, OVERVIEW), { since: "2026-02-01", until: "2026-02-20" });
});

test("a heading names the days of its figures", () => {
  reads("es");
  assert.equal(titleOfDays("impact.title", null), "Impacto de la codificación, últimos 30 días");
  const chosen = { since: "2026-02-01", until: "2026-02-20" };
  assert.match(titleOfDays("impact.title", chosen), /^Impacto de la codificación, del 1\/02\/2026 al 20\/02\/2026$/);
});

test("the title of records says what they have in common", () => {
  const asked = { campaign_id: "15501", type_campaign: "preview", state: ["pending", "sending", "stolen"], chunk: "3" };
  assert.equal(recordsTitle(asked), "Records of campaign preview 15501, chunk 3, pending or sending");
  assert.equal(recordsTitle({ since: "2026-02-01" }), "Records contacted from Feb 1, 2026 to …");
  assert.equal(recordsTitle({ dialled: "vendor" }), "Records dialled: although codified");
  assert.equal(recordsTitle({}), "Records");
});
