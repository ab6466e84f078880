// The page: what is asked for by its address, every fifteen seconds anew.
import { look } from "./asking.js";
import * as charts from "./charts.js";
import * as customer from "./customer.js";
import { $, address, element, fill, ofOperation, show, toAirflow, toRecords } from "./elements.js";
import { age, day, duration, explain, load, moment, number, say, soon } from "./words.js";

const EVERY = 15_000; // milliseconds between two looks
const STATES = ["pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired"];
const FILTERS = ["type_campaign", "campaign_id", "state", "reason", "run", "dag", "chunk", "dialled"];
const framed = window.parent !== window;
let shown = null; // the last overview
let rows = []; // the records on screen
let older = false; // whether more than the latest ones are

const asked = () => new URLSearchParams(location.search);
const isRecords = () => FILTERS.some((name) => asked().has(name)) || asked().get("view") === "records";
const isHistory = () => asked().get("view") === "runs";
const only = (names) => {
  const kept = new URLSearchParams([...asked()].filter(([name]) => names.includes(name)));
  if (ofOperation()) kept.set("operation", ofOperation());
  return kept;
};
const state = (name) => element("span", { class: `state state-${name}`, title: say(`state.${name}.help`) }, say(`state.${name}`));

// --- is it alive

function showAlive(alive) {
  const facts = {
    dag: alive.dag,
    ended: alive.last_ended_at && age(alive.last_ended_at),
    state: alive.last_state && say(`run.${alive.last_state}`),
    newest: alive.newest && age(alive.newest),
    undelivered: alive.undelivered && age(alive.undelivered),
  };
  const wrong = alive.wrong.map((name) => say(`alive.${name}`, facts));
  const sentences = wrong.length
    ? [...wrong, facts.ended && !alive.wrong.includes("late") ? say("alive.last", facts) : null, facts.newest ? say("alive.newest", facts) : null]
    : [say(facts.newest ? "alive.good" : "alive.good_no_contact", facts)];
  if (alive.parked) sentences.push(say(alive.parked === 1 ? "alive.parked_one" : "alive.parked", { number: number(alive.parked) }));
  if (alive.left !== null && !alive.wrong.includes("quota")) sentences.push(say("alive.left", { number: number(alive.left) }));
  $("alive").hidden = false;
  $("alive").className = wrong.length ? "bad" : "good";
  $("alive").textContent = sentences.filter(Boolean).join(" ");
}

// --- the first screen

function showTiles({ today, fresh }) {
  const tile = (title, value, ...notes) =>
    element("div", {}, element("dt", {}, title), element("dd", {}, value), ...notes.filter(Boolean).map((note) => element("dd", {}, note)));
  const limited = today.limit !== null;
  const calls = limited ? say("tile.calls_of", { calls: number(today.calls), limit: number(today.limit) }) : number(today.calls);
  const meter = { min: 0, max: today.limit, high: today.limit * 0.9, optimum: 0, value: today.calls, "aria-label": say("tile.calls_share") };
  const left = today.left === null ? say("tile.calls_no_limit", { moment: soon(today.resets_at) }) : say("tile.calls_left", { left: number(today.left), moment: soon(today.resets_at) });
  const turn = today.put_off ? say("tile.put_off", { number: number(today.put_off) }) : null;
  const waits = today.oldest_waiting ? say("tile.waiting_oldest", { age: age(today.oldest_waiting) }) : say("tile.waiting_none");
  const gone = today.waiting === 0 ? say("tile.gone_none") : today.gone_at ? soon(today.gone_at) : say("tile.gone_never");
  const lags = { records: number(fresh.records), p95: duration(fresh.p95), worst: duration(fresh.worst) };
  show(
    $("tiles"),
    tile(say("tile.fresh"), duration(fresh.p50), fresh.records ? say("tile.fresh_notes", lags) : say("tile.fresh_none")),
    tile(say("tile.waiting"), number(today.waiting), waits, turn),
    tile(say("tile.gone"), gone, say("tile.gone_notes")),
    tile(say("tile.calls"), calls, today.limit ? element("meter", meter) : null, left),
    tile(say("tile.coded"), number(today.coded)),
    tile(say("tile.refused"), number(today.rejected + today.invalid), say("tile.refused_notes", { rejected: number(today.rejected), invalid: number(today.invalid) })),
    tile(say("tile.failed"), number(today.failed), say("tile.failed_notes")),
    tile(say("tile.lag"), duration(today.lag_p50), say("tile.lag_notes", { p95: duration(today.lag_p95) })),
  );
}

function showAges(ages) {
  $("ages-section").hidden = !ages.some(({ records }) => records);
  const columns = [
    ["age", "nowrap", (row) => say(`age.${row.up_to}`)],
    ["records", "number", (row) => number(row.records), (row) => row.records],
  ];
  fill($("ages"), columns, ages, { totals: true, heading: (name) => say(`ages.${name}`) });
}

function showSlots(slots) {
  const holder = (slot) => [
    element("strong", {}, say(slot.held ? "slots.held" : "slots.free", { number: slot.number, age: slot.held ? age(slot.since) : "" })),
    element("br"),
    slot.path
      ? element("span", {}, say(slot.held ? "slots.by" : "slots.last_by"), toAirflow(slot.path, slot.task), say("slots.try", { try: slot.try, host: slot.host }), toRecords({ run: slot.run }, slot.run))
      : say("slots.never"),
  ];
  show($("slots"), ...slots.map((slot) => element("li", { class: slot.held ? "held" : null }, ...holder(slot))));
}

function showCampaigns(campaigns, days) {
  const of = (row, more = {}) => ({
    ...(row.type_campaign === null ? {} : { type_campaign: row.type_campaign }),
    ...(row.campaign_id === null ? {} : { campaign_id: row.campaign_id }),
    ...more,
  });
  const count = (name) => [
    name,
    "number",
    (row) => {
      if (!row[name]) return "0";
      const wanted = new URLSearchParams(address(of(row)));
      for (const one of name === "waiting" ? ["pending", "sending"] : [name]) wanted.append("state", one);
      return element("a", { href: `?${wanted}` }, number(row[name]));
    },
    (row) => row[name],
  ];
  const name = (row) => `${row.type_campaign ?? "?"} ${row.campaign_id ?? "?"}`;
  const opened = (row) => of(row, row.campaign_id || row.type_campaign ? {} : { state: "invalid" });
  $("campaigns-title").textContent = say(days ? "campaigns.title_days" : "campaigns.title", days ?? {});
  fill(
    $("campaigns"),
    [
      ["campaign", "nowrap", (row) => named(row, toRecords(opened(row), name(row))), name],
      ...["waiting", "coded", "rejected", "failed", "invalid", "superseded", "expired"].map(count),
      ["last_run", "words", (row) => row.last_run && toRecords({ run: row.last_run }, row.last_run), (row) => row.last_run],
      ["oldest_waiting", "nowrap", (row) => moment(row.oldest_waiting), (row) => row.oldest_waiting],
    ],
    campaigns,
    { totals: true },
  );
}

// what wolkvox calls a campaign, and whether it is stopped there
function named(row, link) {
  const words = [row.name, row.status === "stopped" ? say("campaigns.stopped") : null].filter(Boolean).join(" · ");
  return words ? element("span", {}, link, element("br"), element("small", {}, words)) : link;
}

function showParked(parked) {
  $("parked-section").hidden = parked.length === 0;
  const name = (row) => `${row.type_campaign} ${row.campaign_id}`;
  fill(
    $("parked"),
    [
      ["campaign", "nowrap", (row) => named(row, toRecords({ type_campaign: row.type_campaign, campaign_id: row.campaign_id, state: "pending" }, name(row))), name],
      ["why", "words", (row) => reason(row.reason)],
      ["says", "words", (row) => row.words],
      ["since", "nowrap", (row) => moment(row.since), (row) => row.since],
      ["until", "nowrap", (row) => moment(row.until), (row) => row.until],
      ["waiting", "number", (row) => number(row.waiting), (row) => row.waiting],
    ],
    parked,
    { totals: true },
  );
}

function reason(code) {
  const sentence = explain(code);
  return sentence ? element("span", {}, element("code", {}, code), element("br"), element("small", {}, sentence)) : code;
}

function showRuns(table, runs) {
  fill(
    table,
    [
      ["run", "words", (row) => toRecords({ run: row.run, dag: row.dag }, row.run), (row) => row.run],
      ["began_at", "nowrap", (row) => moment(row.began_at), (row) => row.began_at],
      ["began_by", "", (row) => row.began_by && say(`began_by.${row.began_by}`), (row) => row.began_by],
      ["seconds", "nowrap", (row) => duration(row.seconds), (row) => row.seconds],
      ["state", "", (row) => element("span", { class: `run-${row.state}` }, say(`run.${row.state}`)), (row) => row.state],
      ["stopped", "", (row) => row.stopped && say(`stopped.${row.stopped}`), (row) => row.stopped],
      ...["records", "coded", "rejected", "failed", "pending"].map((name) => [name, "number", (row) => number(row[name]), (row) => row[name]]),
    ],
    runs,
    { totals: true },
  );
}

function showReasons(reasons, days) {
  const wanted = (row) => ({ state: row.state, ...(row.reason === null ? {} : { reason: row.reason }) });
  $("reasons-title").textContent = say(days ? "reasons.title_days" : "reasons.title", days ?? {});
  fill(
    $("reasons"),
    [
      ["reason", "words", (row) => element("span", {}, toRecords(wanted(row), row.reason ?? say("records.none_given")), element("br"), element("small", {}, explain(row.reason) ?? "")), (row) => row.reason],
      ["state", "", (row) => state(row.state), (row) => row.state],
      ["records", "number", (row) => number(row.records), (row) => row.records],
      ["example", "words", (row) => row.words],
    ],
    reasons,
    { totals: true },
  );
}

// what codifying was worth, as exports of wolkvox showed it
function showWorth(worth, breaches, days) {
  $("worth-section").hidden = !worth;
  if (!worth) return;
  $("worth-title").textContent = say(days ? "worth.title_days" : "worth.title", days ?? {});
  const name = (row) => `${row.type_campaign} ${row.campaign_id}`;
  const which = (row, what) => ({ type_campaign: row.type_campaign, campaign_id: row.campaign_id, dialled: what.replace("dialled_", "") });
  const count = (what) => [what, "number", (row) => number(row[what]), (row) => row[what]];
  const dials = (what) => [what, "number", (row) => (row[what] && row.campaign_id ? toRecords(which(row, what), number(row[what])) : number(row[what])), (row) => row[what]];
  const counts = [count("coded"), count("avoided"), dials("dialled_before"), dials("dialled_after")];
  fill($("worth"), [["campaign", "nowrap", (row) => named(row, element("span", {}, name(row))), name], ...counts], worth.campaigns, { totals: true });
  fill($("worth-days"), [["day", "nowrap", (row) => day(row.day), (row) => row.day], ...counts], worth.days, { totals: true });
  const most = Math.max(1, ...worth.curve.map((row) => row.dials));
  const bar = (row) => element("meter", { min: 0, max: most, value: row.dials, "aria-label": say("curve.share", { dials: number(row.dials) }) });
  fill($("curve"), [["minutes", "nowrap", (row) => duration(60 * row.minutes)], ["dials", "number", (row) => number(row.dials)], ["share", "bar", bar]], worth.curve);
  $("breaches-part").hidden = breaches.length === 0;
  const cause = (row) => element("span", {}, toRecords({ dialled: row.cause }, say(`breach.${row.cause}`)), element("br"), element("small", {}, explain(`breach_${row.cause}`)));
  fill($("breaches"), [["cause", "words", cause], ["contacts", "number", (row) => number(row.contacts), (row) => row.contacts]], breaches, { totals: true });
}

function warn(id, text) {
  $(id).hidden = !text;
  $(id).textContent = text ?? "";
}

// the chosen days, to be named in a heading; null when all are shown
function chosenDays(overview) {
  const [since, until] = [asked().get("since"), asked().get("until")];
  if (!since && !until) return null;
  const today = new Date(overview.now).toLocaleDateString("sv", { timeZone: overview.zone });
  const first = new Date(overview.days.starts[0] * 1000).toLocaleDateString("sv", { timeZone: overview.zone });
  return { since: day(since ?? first), until: day(until ?? today) };
}

function showOverview(overview) {
  if (overview.foreign) {
    const all = element("a", { href: "?" }, say("page.all_figures"));
    $("foreign").hidden = false;
    show($("foreign"), say("page.foreign", { dag: overview.foreign }), " ", all);
    $("customer").hidden = true;
    return;
  }
  const tab = asked().get("tab");
  const { outage, unbegun } = overview;
  shown = overview;
  $("overview").hidden = false;
  $("operation").textContent = `${say("page.operation", { operation: overview.operation })} · ${say("page.days_in", { zone: overview.zone })}`;
  $("nothing").hidden = !overview.empty;
  $("nothing").textContent = say("page.nothing");
  warn("of-tab", tab && say("page.of_tab", { dag: tab, operation: overview.operation }));
  warn("outage", outage && say("outage.text", { since: moment(outage.since), words: outage.words, until: soon(outage.until) }));
  warn("unbegun", unbegun && say("unbegun.text", { ...unbegun, since: moment(unbegun.since), records: number(unbegun.records) }));
  showAlive(overview.alive);
  customer.allow(overview);
  showTiles(overview);
  showAges(overview.ages);
  showParked(overview.parked);
  showSlots(overview.slots);
  showCampaigns(overview.campaigns, chosenDays(overview));
  showReasons(overview.reasons, chosenDays(overview));
  showWorth(overview.worth, overview.breaches, chosenDays(overview));
  showRuns($("runs"), overview.runs);
  charts.draw(overview);
}

// --- records

const campaignOf = (row) => `${row.type_campaign ?? "?"} ${row.campaign_id ?? "?"}`;
const ROW_COLUMNS = [
  ["customer", "nowrap", (row) => row.customer_id, (row) => row.customer_id],
  ["campaign", "nowrap", (row) => toRecords({ type_campaign: row.type_campaign ?? "", campaign_id: row.campaign_id ?? "" }, campaignOf(row)), campaignOf],
  ["state", "", (row) => state(row.state), (row) => row.state],
  ["reason", "words", (row) => row.reason && element("span", {}, toRecords({ state: row.state, reason: row.reason }, row.reason), element("br"), element("small", {}, explain(row.reason) ?? "")), (row) => row.reason],
  ["said", "words", (row) => row.response_msg],
  ["code", "", (row) => row.cod_act, (row) => row.cod_act],
  ["calls", "number", (row) => number(row.attempts), (row) => row.attempts],
  ["contacted", "nowrap", (row) => moment(row.contacted_at), (row) => row.contacted_at],
  ["channel", "nowrap", (row) => [row.channel, row.direct === null ? null : say(row.direct ? "direct.yes" : "direct.no")].filter(Boolean).join(", ") || null, (row) => row.channel],
  ["settled", "nowrap", (row) => moment(row.settled_at), (row) => row.settled_at],
  ["not_before", "nowrap", (row) => moment(row.not_before), (row) => row.not_before],
  ["run", "words", (row) => row.dag_run_id && toRecords({ run: row.dag_run_id, ...(row.dag_id ? { dag: row.dag_id } : {}) }, row.dag_run_id), (row) => row.dag_run_id],
  ["log", "nowrap", (row) => row.task_path && toAirflow(row.task_path, row.chunk_number ? say("records.chunk", { chunk: row.chunk_number }) : say("records.stage"))],
];

function showRecords(answer) {
  rows = older ? [...rows, ...answer.rows] : answer.rows;
  $("records").hidden = false;
  $("none").hidden = rows.length > 0;
  fill($("rows"), ROW_COLUMNS, rows, { totals: true });
  offerMore($("records"), answer.before, async () => {
    older = true;
    const more = await look(`rows?${records()}&before=${answer.before}`);
    if (more) showRecords(more);
  });
  const full = asked().get("full") === "true";
  const other = asked();
  if (full) other.delete("full");
  else other.set("full", "true");
  $("ids").hidden = !answer.may_see_ids;
  $("ids").textContent = say(full ? "records.mask" : "records.unmask");
  $("ids").href = `?${other}`;
  customer.allow(answer);
}

const records = () => only([...FILTERS, "since", "until", "full"]);

function offerMore(section, before, more) {
  const button = section.querySelector(".more");
  button.hidden = before === null;
  button.onclick = more;
}

function titleRecords() {
  const query = asked();
  const states = query.getAll("state").filter((name) => STATES.includes(name));
  const has = (name) => query.has(name);
  const parts = [
    has("campaign_id") || has("type_campaign") ? say("records.of_campaign", { campaign: `${query.get("type_campaign") ?? ""} ${query.get("campaign_id") ?? ""}`.trim() }) : "",
    has("run") ? say("records.of_run", { run: query.get("run") }) : "",
    has("chunk") ? say("records.chunk", { chunk: query.get("chunk") }) : "",
    states.length ? states.map((name) => say(`state.${name}`)).join(say("records.or")) : "",
    has("reason") ? say("records.because", { reason: query.get("reason") }) : "",
    has("dialled") ? say("records.dialled", { how: say(`breach.${query.get("dialled")}`) }) : "",
    has("since") || has("until") ? say("records.days", { since: has("since") ? day(query.get("since")) : "…", until: has("until") ? day(query.get("until")) : "…" }) : "",
  ];
  $("records-title").textContent = `${say("records.title")} ${parts.filter(Boolean).join(", ")}`.trim();
  $("csv").href = `rows.csv?${records()}`;
  const excel = records();
  excel.set("excel", document.documentElement.lang);
  $("excel").href = `rows.csv?${excel}`;
}

// --- filters live in the address: a link shows the same, and Back goes back

function fillForms() {
  const query = asked();
  const chosen = query.getAll("state");
  const waiting = chosen.length === 2 ? "pending" : chosen[0];
  $("filter").elements.state.replaceChildren(new Option(say("filter.any"), ""), ...STATES.map((name) => new Option(say(`state.${name}`), name, false, name === waiting)));
  for (const form of ["filter", "days", "history-days"]) {
    for (const field of $(form).querySelectorAll("input")) field.value = query.get(field.name) ?? "";
  }
}

function filterBy(form, keep) {
  const query = only(keep);
  for (const [name, value] of new FormData(form)) if (value) query.append(name, value);
  location.search = query; // a navigation, which Airflow's window takes into its own address
}

function wireForms() {
  $("operations").addEventListener("change", () => {
    location.search = new URLSearchParams({ operation: $("operations").value, ...(isHistory() ? { view: "runs" } : {}) });
  });
  const wire = (form, keep) => {
    $(form).addEventListener("submit", (event) => {
      event.preventDefault();
      filterBy($(form), keep());
    });
    $(form).addEventListener("reset", () => {
      for (const field of $(form).querySelectorAll("input")) field.value = "";
      setTimeout(() => filterBy($(form), keep())); // once the form is empty
    });
  };
  wire("filter", () => ["run", "dag", "chunk", "dialled", "tab", "full"]);
  wire("days", () => ["tab", "sort"]);
  wire("history-days", () => ["view", "tab", "sort"]);
}

// --- asking

async function refresh() {
  if (document.hidden || older) return;
  if (isRecords()) {
    const answer = await look(`rows?${records()}`);
    if (answer) showRecords(answer);
  } else if (isHistory()) {
    await lookAtHistory();
  } else {
    const answer = await look(`overview?${only(["tab", "since", "until"])}`);
    if (answer) showOverview(answer);
  }
}

let runs = [];
async function lookAtHistory(before = null) {
  const query = only(["since", "until"]);
  if (asked().has("tab")) query.set("dag", asked().get("tab"));
  if (before) query.set("before", before);
  const answer = await look(`runs?${query}`);
  if (!answer) return;
  older = before !== null;
  runs = before ? [...runs, ...answer.runs] : answer.runs;
  $("history").hidden = false;
  showRuns($("history-runs"), runs);
  offerMore($("history"), answer.before, () => lookAtHistory(answer.before));
}

async function foreignRun() {
  const tab = asked().get("tab");
  if (!tab || !asked().has("run")) return false;
  const answer = await look(`overview?tab=${encodeURIComponent(tab)}`);
  if (answer?.foreign) showOverview(answer);
  return Boolean(answer?.foreign);
}

// shows what the address asks for
async function arrive() {
  lead();
  remember();
  fillForms();
  if (isRecords()) titleRecords();
  if (!(await foreignRun())) await refresh();
  lead();
}

function lead() {
  const tab = asked().get("tab");
  for (const link of document.querySelectorAll(".back")) link.href = address({ tab });
  $("all-runs").href = address({ view: "runs", tab });
}

// --- inside Airflow's frame, which keeps links from leaving it: Airflow itself follows them

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !framed) return;
  event.preventDefault();
  const outer = parent.document.createElement("a");
  outer.href = link.href;
  if (event.ctrlKey || event.metaKey) outer.target = "_blank";
  parent.document.body.append(outer);
  outer.click();
  outer.remove();
});

// A tab's address is Airflow's, and always the same: what is looked at inside stands behind its "#", for a reload.
const MARK = "#wolkvox";
const inTab = () => framed && /\/plugin\/wolkvox-/.test(parent.location.pathname);

function remember() {
  if (!inTab()) return;
  const { pathname, search } = parent.location;
  parent.history.replaceState(parent.history.state, "", `${pathname}${search}${MARK}${location.search}`);
}

// Only when Airflow has just made the frame: later on, its links lead where they say.
function returnToWhereItWas() {
  if (!inTab() || frameElement.dataset.wolkvox) return;
  frameElement.dataset.wolkvox = "opened";
  if (parent.location.hash.startsWith(`${MARK}?`)) history.replaceState(null, "", parent.location.hash.slice(MARK.length));
}

function followTheme() {
  if (framed) {
    const outer = parent.document.documentElement.classList;
    if (outer.contains("dark")) document.documentElement.dataset.theme = "dark";
    else if (outer.contains("light")) document.documentElement.dataset.theme = "light";
  }
  if (shown && !$("overview").hidden) charts.draw(shown);
}

async function followLanguage() {
  await load();
  charts.forget();
  fillForms();
  customer.render();
  if (isRecords()) titleRecords();
  await refresh();
}

if (framed) new MutationObserver(followTheme).observe(parent.document.documentElement, { attributeFilter: ["class"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", followTheme);
addEventListener("storage", (event) => {
  if (event.key === "i18nextLng" || event.key === "timezone") followLanguage();
});
let width = innerWidth;
function fit() {
  if (innerWidth !== width && shown && !$("overview").hidden) charts.draw(shown);
  width = innerWidth;
}
addEventListener("resize", fit);
addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll("figure details")) table.open = true;
});
// Whole ids are not looked at again unasked: each look is noted in Airflow's audit log.
const again = () => asked().get("full") === "true" || refresh();
document.addEventListener("visibilitychange", again);
$("print").addEventListener("click", () => print());

returnToWhereItWas();
await load();
$("updated").textContent = say("page.asking");
wireForms();
customer.wire();
followTheme();
await arrive();
setInterval(again, EVERY);
