// Text from the ledger reaches the page through textContent and attributes only.
"use strict";

const EVERY = 15_000; // milliseconds between two looks
const PATIENCE = 20_000; // milliseconds an answer may take
const STATES = ["pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired"];
const BARS = { coded: "coded", refused: "refused or invalid", failed: "failed" };
const framed = window.parent !== window;
const asked = new URLSearchParams(location.search);
const wantsRecords = ["type_campaign", "campaign_id", "state", "reason", "run", "dag", "chunk"].some((name) => asked.has(name));
const $ = (id) => document.getElementById(id);
const plots = new Map();
let shown = null; // the last overview
let older = false; // whether more than the latest records are on screen

// --- words and numbers

const number = (value) => (value === null ? "–" : value.toLocaleString());
const moment = (iso) => (iso ? new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }) : "–");

function soon(iso) {
  const then = new Date(iso);
  const today = then.toDateString() === new Date().toDateString();
  return then.toLocaleString([], today ? { timeStyle: "short" } : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// of a tick in a chart's axis, which is a round one
const roundDuration = (seconds) =>
  seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : seconds < 86400 ? `${seconds / 3600} h` : `${seconds / 86400} d`;
const since = (iso) => duration(Math.max(0, (Date.now() - new Date(iso)) / 1000));

// --- building blocks

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const toAirflow = (path, text) => element("a", { href: `../${path}`, "data-airflow": true }, text);
const toRecords = (wanted, text) => element("a", { href: `?${new URLSearchParams(wanted)}` }, text);

// columns: [heading, class, row => text or node]
function fill(table, columns, rows) {
  const cell = (name, kind, content) => element(name, { class: kind, scope: name === "th" ? "col" : null }, content ?? "–");
  table.replaceChildren(
    element("thead", {}, element("tr", {}, ...columns.map(([heading, kind]) => cell("th", kind, heading)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...columns.map(([, kind, of]) => cell("td", kind, of(row)))))),
  );
}

// --- the first screen

function showTiles(today) {
  const tile = (title, value, ...notes) =>
    element("div", {}, element("dt", {}, title), element("dd", {}, value), ...notes.map((note) => element("dd", {}, note)));
  const calls = tile("Calls today", today.limit === null ? number(today.calls) : `${number(today.calls)} of ${number(today.limit)}`);
  if (today.limit) {
    const meter = { min: 0, max: today.limit, high: today.limit * 0.9, optimum: 0, value: today.calls };
    calls.append(element("dd", {}, element("meter", { ...meter, "aria-label": "Share of today's calls used" })));
  }
  calls.append(element("dd", {}, `${today.left === null ? "no limit known" : `${number(today.left)} left`}, anew ${soon(today.resets_at)}`));
  const turn = today.put_off ? `${number(today.put_off)} of them wait for their turn after a fault` : null;
  const waits = today.oldest_waiting ? `oldest contact ${since(today.oldest_waiting)} ago` : "nothing waits";
  const gone = today.waiting === 0 ? "No backlog" : today.gone_at ? soon(today.gone_at) : "Never at this quota";
  $("tiles").replaceChildren(
    calls,
    tile("Coded today", number(today.coded)),
    tile("Refused today", number(today.rejected + today.invalid), `${number(today.rejected)} by wolkvox, ${number(today.invalid)} invalid`),
    tile("Failed today", number(today.failed), "given up after all their calls; a run with resend offers them again"),
    tile("To be sent", number(today.waiting), ...[waits, turn].filter(Boolean)),
    tile("Backlog gone", gone, "at the present pace and quota"),
    tile("Lag today", duration(today.lag_p50), `median; 95 of 100 within ${duration(today.lag_p95)}`),
  );
}

function showSlots(slots) {
  const holder = (slot) => [
    element("strong", {}, `Slot ${slot.number}: ${slot.held ? `held for ${since(slot.since)}` : "free"}`),
    element("br"),
    slot.path
      ? element("span", {}, slot.held ? "by " : "last by ", toAirflow(slot.path, slot.task), `, try ${slot.try} on ${slot.host}, run `, toRecords({ run: slot.run }, slot.run))
      : "never taken",
  ];
  $("slots").replaceChildren(...slots.map((slot) => element("li", { class: slot.held ? "held" : null }, ...holder(slot))));
}

function showCampaigns(campaigns) {
  const of = (row, more = {}) => ({
    ...(row.type_campaign === null ? {} : { type_campaign: row.type_campaign }),
    ...(row.campaign_id === null ? {} : { campaign_id: row.campaign_id }),
    ...more,
  });
  const count = (state) => [
    state,
    "number",
    (row) => {
      if (!row[state]) return "0";
      const wanted = new URLSearchParams(of(row));
      for (const one of state === "waiting" ? ["pending", "sending"] : [state]) wanted.append("state", one);
      return element("a", { href: `?${wanted}` }, number(row[state]));
    },
  ];
  fill(
    $("campaigns"),
    [
      ["campaign", "nowrap", (row) => toRecords(of(row, row.campaign_id || row.type_campaign ? {} : { state: "invalid" }), `${row.type_campaign ?? "?"} ${row.campaign_id ?? "?"}`)],
      ...["waiting", "coded", "rejected", "failed", "invalid", "superseded", "expired"].map(count),
      ["last run", "", (row) => row.last_run && toRecords({ run: row.last_run }, row.last_run)],
      ["oldest waiting", "nowrap", (row) => moment(row.oldest_waiting)],
    ],
    campaigns,
  );
}

function showOutage(outage) {
  $("outage").hidden = !outage;
  if (outage) $("outage").textContent = `Nothing can be sent since ${moment(outage.since)}: ${outage.words} The next call tries after ${soon(outage.until)}.`;
}

function showUnbegun(waiting) {
  $("unbegun").hidden = !waiting;
  if (waiting) $("unbegun").textContent = `No task has begun ${waiting.chunks === 1 ? "a chunk" : `${waiting.chunks} chunks`} of ${waiting.records} records since ${moment(waiting.since)} (run ${waiting.run}): look whether the pool's slots are held by queued tasks, and whether a worker runs. Airflow fails a task that stays queued.`;
}

function showParked(parked) {
  $("parked-section").hidden = parked.length === 0;
  fill(
    $("parked"),
    [
      ["campaign", "nowrap", (row) => toRecords({ type_campaign: row.type_campaign, campaign_id: row.campaign_id, state: "pending" }, `${row.type_campaign} ${row.campaign_id}`)],
      ["why", "", (row) => row.reason],
      ["what wolkvox says", "words", (row) => row.words],
      ["since", "nowrap", (row) => moment(row.since)],
      ["tried again after", "nowrap", (row) => moment(row.until)],
      ["waiting", "number", (row) => number(row.waiting)],
    ],
    parked,
  );
}

function showRuns(runs) {
  fill(
    $("runs"),
    [
      ["run", "", (row) => toRecords({ run: row.run, dag: row.dag }, row.run)],
      ["began", "nowrap", (row) => moment(row.began_at)],
      ["took", "nowrap", (row) => duration(row.seconds)],
      ["state", "", (row) => row.state],
      ["stopped by", "", (row) => row.stopped],
      ...["records", "coded", "rejected", "failed", "pending"].map((name) => [name, "number", (row) => number(row[name])]),
    ],
    runs,
  );
}

function showReasons(reasons) {
  const wanted = (row) => ({ state: row.state, ...(row.reason === null ? {} : { reason: row.reason }) });
  fill(
    $("reasons"),
    [
      ["reason", "nowrap", (row) => toRecords(wanted(row), row.reason ?? "none given")],
      ["state", "", (row) => row.state],
      ["records", "number", (row) => number(row.records)],
      ["what wolkvox said, for example", "words", (row) => row.words],
    ],
    reasons,
  );
}

// --- charts

const CHARTS = [
  { id: "hours-records", title: "Records per hour, last 24 hours", span: "hours", kind: "records" },
  { id: "days-records", title: "Records per day, last 30 days", span: "days", kind: "records" },
  { id: "hours-lag", title: "From contact to codification per hour, last 24 hours", span: "hours", kind: "lag" },
  { id: "days-lag", title: "From contact to codification per day, last 30 days", span: "days", kind: "lag" },
];
const KINDS = {
  records: { ...BARS, waiting: "waiting at the end (line, right)" },
  lag: { lag_p50: "median", lag_p95: "95th percentile" },
};

const LAG_STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 432000];

const label = (chart, start) =>
  new Date(start * 1000).toLocaleString([], chart.span === "hours" ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" });

function frame(chart) {
  const keys = Object.entries(KINDS[chart.kind]).map(([name, text]) => element("li", {}, element("span", { class: `key-${name}` }), text));
  return element(
    "figure",
    { id: chart.id },
    element("figcaption", {}, element("h2", {}, chart.title)),
    element("ul", { class: "keys" }, ...keys),
    element("div", { class: "plot", role: "img", "aria-label": `${chart.title}; the figures are in the table below` }),
    element("details", {}, element("summary", {}, "Figures"), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": chart.title }, element("table"))),
  );
}

function drawCharts(overview) {
  if (!$("charts").firstChild) $("charts").append(...CHARTS.map(frame));
  for (const chart of CHARTS) {
    const figure = $(chart.id);
    const series = overview[chart.span];
    const names = Object.keys(KINDS[chart.kind]);
    const show = chart.kind === "lag" ? duration : number;
    const columns = names.map((name) => [KINDS[chart.kind][name], "number", (index) => show(series[name][index])]);
    fill(figure.querySelector("table"), [["from", "nowrap", (index) => label(chart, series.starts[index])], ...columns], [...series.starts.keys()].reverse());
    const place = figure.querySelector(".plot");
    plots.get(chart.id)?.destroy();
    plots.set(chart.id, plot(chart, series, place, figure));
  }
}

function plot(chart, series, place, figure) {
  const color = (name) => getComputedStyle(figure.querySelector(`.key-${name}`)).backgroundColor;
  const ink = getComputedStyle(document.querySelector("header p")).color;
  const grid = { stroke: getComputedStyle($("tiles").firstChild).borderTopColor, width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui" };
  const options = {
    width: Math.max(200, place.clientWidth),
    height: 220,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: (_, min, max) => [min - 0.6, max + 0.6] } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 3, 4, 6, 7, 12], values: (_, places) => places.map((index) => (index in series.starts ? label(chart, series.starts[index]) : "")) },
    ],
    series: [{}],
  };
  const data = [[...series.starts.keys()]];
  if (chart.kind === "lag") {
    options.axes.push({ ...axis, size: 56, incrs: LAG_STEPS, values: (_, ticks) => ticks.map(roundDuration) });
    options.scales.y = { range: (_, min, max) => [0, max > 0 ? max * 1.1 : 60] };
    for (const name of ["lag_p95", "lag_p50"]) {
      options.series.push({ stroke: color(name), width: 2, points: { show: true, size: 5 } });
      data.push(series[name]);
    }
    return new uPlot(options, data, place);
  }
  options.axes.push({ ...axis, size: 56 }, { ...axis, size: 56, scale: "waiting", side: 1, grid: { show: false } });
  options.scales.y = { range: (_, min, max) => [0, Math.max(4, max * 1.1)] };
  options.scales.waiting = { range: (_, min, max) => [0, Math.max(4, max * 1.1)] };
  let height = series.starts.map(() => 0); // bars stand on one another: the tallest is drawn first
  for (const name of Object.keys(BARS)) {
    height = height.map((below, index) => below + series[name][index]);
    options.series.splice(1, 0, { fill: color(name), stroke: color(name), width: 0, paths: uPlot.paths.bars({ size: [0.7] }), points: { show: false } });
    data.splice(1, 0, height);
  }
  options.series.push({ stroke: color("waiting"), width: 2, scale: "waiting", points: { show: false } });
  data.push(series.waiting);
  return new uPlot(options, data, place);
}

function showOverview(overview) {
  shown = overview;
  $("nothing").hidden = !overview.empty;
  $("overview").hidden = false;
  showTiles(overview.today);
  showOutage(overview.outage);
  showUnbegun(overview.unbegun);
  showParked(overview.parked);
  showRuns(overview.runs);
  showSlots(overview.slots);
  showCampaigns(overview.campaigns);
  showReasons(overview.reasons);
  drawCharts(overview);
}

// --- records

const ROW_COLUMNS = [
  ["customer", "nowrap", (row) => row.customer_id],
  ["campaign", "nowrap", (row) => toRecords({ type_campaign: row.type_campaign ?? "", campaign_id: row.campaign_id ?? "" }, `${row.type_campaign ?? "?"} ${row.campaign_id ?? "?"}`)],
  ["state", "", (row) => row.state],
  ["reason", "", (row) => row.reason && toRecords({ state: row.state, reason: row.reason }, row.reason)],
  ["what wolkvox said", "words", (row) => row.response_msg],
  ["code", "", (row) => row.cod_act],
  ["calls", "number", (row) => number(row.attempts)],
  ["contacted", "nowrap", (row) => moment(row.contacted_at)],
  ["settled", "nowrap", (row) => moment(row.settled_at)],
  ["not before", "nowrap", (row) => moment(row.not_before)],
  ["run", "", (row) => row.dag_run_id && toRecords({ run: row.dag_run_id, ...(row.dag_id ? { dag: row.dag_id } : {}) }, row.dag_run_id)],
  ["log", "nowrap", (row) => row.task_path && toAirflow(row.task_path, row.chunk_number ? `chunk ${row.chunk_number}` : "stage")],
];

function showRecords(answer) {
  $("records").hidden = false;
  $("none").hidden = answer.rows.length > 0;
  if (older) {
    const added = element("table");
    fill(added, ROW_COLUMNS, answer.rows);
    $("rows").tBodies[0].append(...added.tBodies[0].rows);
  } else {
    fill($("rows"), ROW_COLUMNS, answer.rows);
  }
  $("more").hidden = answer.before === null;
  $("more").onclick = () => {
    older = true;
    look(`rows?${asked}&before=${answer.before}`, showRecords);
  };
  const other = new URLSearchParams(asked);
  if (asked.get("full") === "true") other.delete("full");
  else other.set("full", "true");
  $("ids").hidden = !answer.may_edit;
  $("ids").textContent = asked.get("full") === "true" ? "Mask the customer ids" : "Show whole customer ids";
  $("ids").href = `?${other}`;
}

function titleRecords() {
  const states = asked.getAll("state").filter((state) => STATES.includes(state));
  const parts = [
    asked.has("campaign_id") || asked.has("type_campaign") ? `of campaign ${asked.get("type_campaign") ?? ""} ${asked.get("campaign_id") ?? ""}` : "",
    asked.has("run") ? `of run ${asked.get("run")}` : "",
    asked.has("chunk") ? `chunk ${asked.get("chunk")}` : "",
    states.length ? states.join(" or ") : "",
    asked.has("reason") ? `because of ${asked.get("reason")}` : "",
  ];
  $("records-title").textContent = `Records ${parts.filter(Boolean).join(", ")}`;
  $("csv").href = `rows.csv?${asked}`;
}

// --- asking

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function look(address, show) {
  let text = "";
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE), headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (response.ok) {
      show(answer);
      $("updated").textContent = `As of ${new Date().toLocaleTimeString()}`;
    } else if (response.status === 401) text = "Your login has ended: log in to Airflow again, then reload this page.";
    else if (response.status === 403) text = "Your login may not read this.";
    else if (response.status === 422) text = "The address of this page asks for records in a way that isn't understood.";
    else text = answer.problem ?? "Airflow met an error; its api-server's log says which.";
  } catch (error) {
    text = error instanceof TypeError ? "Airflow doesn't answer." : "The ledger doesn't answer.";
    console.error(error);
  }
  complain(text);
  if (text && $("overview").hidden && $("records").hidden) $("updated").textContent = "";
}

function refresh() {
  if (document.hidden || older) return;
  if (wantsRecords) look(`rows?${asked}`, showRecords);
  else look("overview", showOverview);
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

function followTheme() {
  if (framed) {
    const outer = parent.document.documentElement.classList;
    if (outer.contains("dark")) document.documentElement.dataset.theme = "dark";
    else if (outer.contains("light")) document.documentElement.dataset.theme = "light";
  }
  if (shown) drawCharts(shown);
}

if (framed) new MutationObserver(followTheme).observe(parent.document.documentElement, { attributeFilter: ["class"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", followTheme);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width && shown) drawCharts(shown);
  width = innerWidth;
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY);
if (wantsRecords) titleRecords();
followTheme();
refresh();
