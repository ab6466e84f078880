import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { health, outage, todo, unstarted } from "../../plugins/wolkvox/page/static/health.js";
import { chosenDays } from "../../plugins/wolkvox/page/static/ranges.js";
import { tiles, trend } from "../../plugins/wolkvox/page/static/tiles.js";
import { recordsTitle, titleOfDays } from "../../plugins/wolkvox/page/static/titles.js";
import { reads } from "./reader.js";

const WELL = {
  level: "well",
  findings: [],
  off_until: null,
  dag: "wolkvox_codify",
  last_ended_at: "2026-03-01T15:00:00Z",
  last_state: "success",
  last_run: "a+b",
  newest: "2026-03-01T14:00:00Z",
  left: 5,
};
const SINCE = "2026-03-01T15:00:00Z";
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
  sendable: 0,
  suspended: 0,
  deferred: 0,
  oldest_waiting: null,
  backlog_ends_at: "2026-03-01T15:00:00Z",
  blocked_by: null,
};
const FRESH = { records: 1, p50: 60, p95: 90, worst: 90, share: 1 };
const SERIES = { lag_p50: [60, 240], waiting: [0, 0], refused: [1, 2], failed: [0, 0] };
const OF_TILES = { fresh: FRESH, fresh_before: [], hours: SERIES, days: SERIES, lag_target: 360 };

function byTitle(today, others = {}) {
  const { large, small } = tiles({ ...OF_TILES, ...others, today: { ...TODAY, ...today } });
  return Object.fromEntries([...large, ...small].map(({ title, ...tile }) => [title, tile]));
}

const bad = (name, values = {}) => ({ name, level: "bad", since: SINCE, ...values });
const look = (name, values = {}) => ({ name, level: "look", since: SINCE, ...values });
const found = (...findings) => ({ ...WELL, level: findings[0].level, findings });
const done = (finding, others = {}) => todo({ health: found(finding), may_edit: false, ...others })[0];

beforeEach(() => reads("en"));

test("a page on which all is well says so, and of what times", () => {
  const { level, sentence, times } = health(WELL);
  assert.equal(level, "well");
  assert.equal(sentence, "It works.");
  assert.match(
    times,
    /^The last run ended .+ ago: successful\. The newest contact is .+ old\. 5 requests are left today\.$/,
  );
  assert.deepEqual(todo({ health: WELL }), []);
});

test("a lag of hours is never called well", () => {
  const lag = bad("lag", { p50: 132_960, p95: 168_960, target: 360 });
  const { level, sentence } = health(found(lag));
  assert.equal(level, "bad");
  assert.equal(sentence, "Contacts reach wolkvox late; the target is 6 min.");
  assert.equal(done(lag).detail, "Last hour: median 36 h 56 min; 95% within 46 h 56 min.");
  reads("es");
  assert.equal(health(found(lag)).sentence, "Los contactos llegan tarde a wolkvox; la meta es 6 min.");
});

test("outside its hours it says when it goes on, in a colour that alarms nobody", () => {
  const off = { ...WELL, off_until: "2026-03-02T13:00:00Z" };
  assert.equal(health(off).level, "off");
  assert.match(health(off).sentence, /^Outside its hours: it goes on Mon, Mar 2, 8:00 AM$/);
  reads("es");
  assert.match(health(off).sentence, /^Fuera de horario: continúa lun, 2 de mar, 8:00.*m\.$/);
});

test("what needs a look is not called well either, and what there is beside it is counted", () => {
  assert.equal(health(found(look("suspended", { number: 1 }))).sentence, "Needs attention: One campaign is suspended.");
  const both = found(bad("failed"), look("suspended", { number: 2 }));
  assert.equal(health(both).sentence, "The last run failed. And one thing more.");
  reads("es");
  assert.equal(health(both).sentence, "La última ejecución falló. Y una cosa más.");
});

test("the sentence that is spoken stays the same while time passes", () => {
  const signs = found(bad("late"), look("undelivered"), look("uncounted"), look("waiting", { oldest: SINCE }));
  const before = health(signs, Date.parse("2026-03-01T16:00:00Z"));
  const after = health(signs, Date.parse("2026-03-01T17:00:00Z"));
  assert.equal(before.sentence, after.sentence);
  assert.match(before.times, /^The last run ended 60 min ago: .* 2 h old\./);
  assert.match(after.times, /^The last run ended 2 h ago: .* 3 h old\./);
});

const NAMES = "absent paused never late failed unstarted outage lag quota waiting suspended undelivered unwatched";
const ALERTS = "red:stage refusals invalid opening quota zone operations exports suspended:1 outage backlog_age late";

test("each finding has its sentence in both languages, with since when", () => {
  for (const language of ["en", "es"]) {
    reads(language);
    for (const name of [...NAMES.split(" "), "uncounted", "silent"]) {
      const item = done(look(name, { number: 1, records: 2, until: SINCE, oldest: SINCE, p50: 1, p95: 2, target: 3 }));
      assert.doesNotMatch(item.sentence, /health\./, name);
      assert.match(item.sentence, /\.$/);
      assert.match(item.since, language === "en" ? /^Since 3\/1\/26, 10:00:00/ : /^Desde 1\/03\/26, 10:00:00/);
    }
    for (const alert of ALERTS.split(" ")) {
      const { sentence } = done(look("alert", { alert, message: null }));
      assert.match(sentence, language === "en" ? /^Alert: [a-z' ]+\.$/ : /^Aviso: [a-záéíóúñ ]+\.$/, alert);
    }
  }
});

test("most findings say what to do, and where", () => {
  assert.match(done(bad("silent")).action, /^Ask whoever fills the warehouse\.$/);
  assert.deepEqual(done(look("waiting", { records: 3, oldest: SINCE })).link, {
    href: "?state=pending&state=sending",
    text: "Open the records",
  });
  assert.deepEqual(
    done(look("alert", { alert: "refusals", message: "Of 9 …" })).link.href,
    "?state=rejected&state=failed",
  );
  assert.equal(done(look("alert", { alert: "refusals", message: "Of 9 …" })).detail, "Of 9 …");
  assert.deepEqual(done(bad("failed")).link, {
    airflow: "dags/wolkvox_codify/runs/a%2Bb",
    text: "Open the run",
  });
  assert.equal(done(look("undelivered")).link, null);
});

test("only who may edit the DAG is sent to resume it; others are told whom to ask", () => {
  const reader = done(bad("paused"));
  assert.match(reader.action, /^Ask data engineering/);
  assert.equal(reader.link, null);
  const editor = done(bad("paused"), { may_edit: true });
  assert.match(editor.action, /^Resume it in Airflow/);
  assert.deepEqual(editor.link, { airflow: "dags/wolkvox_codify", text: "Resume it in Airflow" });
});

test("an outage and chunks without a task are explained in their findings", () => {
  const outage = { since: SINCE, until: SINCE, reason: "bad_token", message: "VALIDATE TOKEN" };
  assert.match(done(bad("outage", { until: SINCE }), { outage }).detail, /wolkvox refused the token\. Next attempt/);
  const unstarted = { since: SINCE, run: "a", dag: "d", chunks: 1, records: 1 };
  const item = done(bad("unstarted"), { unstarted });
  assert.match(item.detail, /: 1 chunk \(1 record\) of run a\./);
  assert.equal(item.link.href, "?run=a&dag=d");
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
  assert.equal(value({ waiting: 1, sendable: 1, backlog_ends_at: null }), "Never at this quota");
  assert.match(value({ waiting: 1, sendable: 1 }), /10:00/);
});

test("no end is promised for what can't be sent", () => {
  const { value, notes } = byTitle({ waiting: 120, suspended: 120 })["Estimated end of backlog"];
  assert.equal(value, "Nothing to send now");
  assert.deepEqual(notes.filter(Boolean), ["120 wait for their campaign"]);
  const paused = byTitle({ waiting: 1, sendable: 1, blocked_by: "paused" })["Estimated end of backlog"];
  assert.deepEqual([paused.value, paused.notes[0]], ["Not known", "the DAG is paused"]);
  reads("es");
  const waiting = byTitle({ waiting: 125, suspended: 120, deferred: 5, oldest_waiting: SINCE })["Por enviar"];
  assert.deepEqual(waiting.notes.slice(1), [
    "0 se pueden enviar ahora",
    "120 esperan por su campaña",
    "5 de ellos, aplazados tras un fallo",
  ]);
});

test("deferred records are counted by the one and by the many", () => {
  reads("es");
  const note = (deferred) => byTitle({ waiting: 9, deferred, oldest_waiting: SINCE })["Por enviar"].notes.at(-1);
  assert.equal(note(0), null);
  assert.equal(note(1), "1 de ellos, aplazado tras un fallo");
  assert.equal(note(120), "120 de ellos, aplazados tras un fallo");
});

test("the last hour tells of one contact as of one", () => {
  const title = "From contact to wolkvox, last hour";
  const { [title]: hour } = byTitle({});
  assert.equal(hour.notes[0], "median of 1 contact; 95% within 2 min; the slowest 2 min");
  const fresh = { records: 0, p50: null, p95: null, worst: null, share: null };
  assert.equal(byTitle({}, { fresh })[title].value, "–");
});

test("the lag and the share within the target are compared with yesterday and last week at this hour", () => {
  const fresh = { records: 100, p50: 240, p95: 400, worst: 900, share: 0.94 };
  const before = [
    { days: 1, records: 90, p50: 300, p95: 360, worst: 800, share: 0.97 },
    { days: 7, records: 0, p50: null, p95: null, worst: null, share: null },
  ];
  const shown = byTitle({}, { fresh, fresh_before: before });
  const lag = shown["From contact to wolkvox, last hour"];
  assert.equal(lag.notes[1], "yesterday at this hour 5 min · 7 days ago –");
  assert.deepEqual(lag.trend, { way: "down", is: "better" });
  const share = shown["Within 6 min, last hour"];
  assert.deepEqual([share.value, share.trend], ["94%", { way: "down", is: "worse" }]);
  assert.equal(share.notes[0], "yesterday at this hour 97% · 7 days ago –");
});

test("only all is 100 %", () => {
  const share = (value) => byTitle({}, { fresh: { ...FRESH, share: value } })["Within 6 min, last hour"].value;
  assert.deepEqual([share(1), share(0.99996), share(0), share(null)], ["100%", "99.9%", "0%", "–"]);
});

test("a figure is another one from a fifth on", () => {
  const ways = [trend(100, 100), trend(121, 100), trend(83, 100), trend(0, 100), trend(1, 0)].map(({ way }) => way);
  assert.deepEqual(ways, ["same", "up", "down", "down", "up"]);
  assert.deepEqual([trend(1, 2).is, trend(2, 1).is], ["better", "worse"]);
  assert.deepEqual([trend(null, 1), trend(1, null)], [null, null]);
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
