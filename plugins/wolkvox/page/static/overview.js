// The first screen.
import { overviewOf, query, read } from "./address.js";
import { drawCharts, forgetCharts } from "./charts.js";
import * as columns from "./columns.js";
import { toAirflow, toRecords } from "./content.js";
import { allowWholeIds } from "./customer.js";
import { $, element, node, setText, show, sparkline } from "./dom.js";
import { age, timeOfDay } from "./formats.js";
import { health, todo } from "./health.js";
import { language } from "./locale.js";
import { problems } from "./problem-list.js";
import { chosenDays } from "./ranges.js";
import { getFigures } from "./requests.js";
import { readService } from "./service.js";
import { fill } from "./table.js";
import { say } from "./texts.js";
import { tiles } from "./tiles.js";
import { titleOfDays } from "./titles.js";

let shown = null; // the last figures, and when they came
let shownAt = null;

/** Read the figures and show them; false when there are none. */
export async function readOverview() {
  const overview = await getFigures(`overview?${query(overviewOf(read(location.search)))}`);
  $("loading").hidden = true;
  if (!overview) {
    goStale();
    return false;
  }
  if (overview.foreign) showForeign(overview.foreign);
  else {
    shownAt = new Date();
    showOverview(overview);
    await readService();
  }
  return true;
}

/** Whether the address asks for a run of a DAG that stages no contacts; it is said then. */
export async function isForeignRun() {
  const { tab, run } = read(location.search);
  if (!tab || !run) return false;
  const answer = await getFigures(`overview?${query({ tab })}`);
  if (answer?.foreign) showForeign(answer.foreign);
  return Boolean(answer?.foreign);
}

// Old figures are dimmed, and nothing is called well that nobody can know.
function goStale() {
  if (!shown) return;
  document.body.dataset.stale = "";
  $("health").className = "unknown";
  setText($("health-sentence"), say("health.unknown", { since: timeOfDay(shownAt) }));
  setText($("health-times"), null);
}

function showForeign(dag) {
  const all = element("a", { href: "?" }, say("page.all_figures"));
  $("foreign").hidden = false;
  show($("foreign"), say("page.foreign", { dag }), " ", all);
  $("customer").hidden = true;
}

/** In another language. */
export function renderOverview() {
  forgetCharts();
  if (shown) showOverview(shown);
}

/** In other colours, or in another width. */
export function redrawCharts() {
  if (shown) drawCharts(shown);
}

function showOverview(overview) {
  shown = overview;
  delete document.body.dataset.stale;
  $("overview").hidden = false;
  showNotes(overview);
  showHealth(overview.health);
  showTodo(todo(overview));
  allowWholeIds(overview);
  const { large, small } = tiles(overview);
  show($("tiles"), ...large.map((one) => tile(one, "large")), ...small.map((one) => tile(one, "small")));
  show($("slots"), ...overview.slots.map(slotItem));
  showTables(overview);
  showImpact(overview);
  drawCharts(overview);
}

function showNotes({ operation, zone, empty }) {
  const { tab } = read(location.search);
  setText($("operation"), `${say("page.operation", { operation })} · ${say("page.days_in", { zone })}`);
  setText($("nothing"), empty ? say("page.nothing") : null);
  setText($("of-tab"), tab ? say("page.of_tab", { dag: tab, operation }) : null);
}

function showHealth(found) {
  const { level, sentence, times } = health(found);
  $("health").hidden = false;
  $("health").className = level;
  setText($("health-sentence"), sentence);
  setText($("health-times"), times);
}

function showTodo(items) {
  $("todo-section").hidden = items.length === 0;
  show($("todo"), ...items.map(todoItem));
}

function todoItem({ level, sentence, detail, since, action, link }) {
  const known = [detail, since].filter(Boolean).join(" ");
  return element(
    "li",
    { class: level },
    element("strong", {}, sentence),
    known && element("p", { class: "soft" }, known),
    (action || link) && element("p", {}, action, " ", link && node(link)),
  );
}

const ARROWS = { up: "▲", down: "▼", same: "=" };

function tile({ title, value, trend, meter, spark, notes }, size) {
  const arrow =
    trend && element("span", { class: `trend ${trend.is}`, title: say(`trend.${trend.way}`) }, ` ${ARROWS[trend.way]}`);
  const below = [meter ? node({ meter }) : null, spark ? sparkline(spark) : null, ...notes].filter(Boolean);
  return element(
    "div",
    { class: size },
    element("dt", {}, title),
    element("dd", {}, value, arrow),
    ...below.map((part) => element("dd", {}, part)),
  );
}

function slotItem(slot) {
  const { number, held, path, task, run, host, of_another: ofAnother } = slot;
  const state = held ? say("slots.held", { number, age: age(slot.since) }) : say("slots.free", { number });
  const owner = path
    ? [
        say(held ? "slots.by" : "slots.last_by"),
        node(toAirflow(path, task)),
        say("slots.try", { try: slot.try, host }),
        node(toRecords({ run }, run)),
      ]
    : [say(ofAnother ? "slots.of_another" : "slots.never")];
  const parts = [element("strong", {}, state), element("br"), element("span", {}, ...owner)];
  return element("li", { class: held ? "held" : null }, ...parts);
}

function showTables(overview) {
  const days = chosenDays(read(location.search), overview);
  $("ages-section").hidden = !overview.ages.some(({ records }) => records);
  $("suspended-section").hidden = overview.suspended.length === 0;
  setText($("campaigns-title"), titleOfDays("campaigns.title", days));
  setText($("report"), say(days ? "report.download_chosen" : "report.download"));
  $("report").href = `report.pdf?${query({ ...overviewOf(read(location.search)), language: language() })}`;
  setText($("reasons-title"), titleOfDays("problems.title", days));
  fill("ages", columns.AGES, overview.ages);
  fill("suspended", columns.SUSPENDED, overview.suspended);
  fill("campaigns", columns.CAMPAIGNS, overview.campaigns);
  const found = problems(overview);
  $("no-problems").hidden = found.length > 0;
  $("reasons").hidden = found.length === 0;
  fill("reasons", columns.PROBLEMS, found);
  fill("runs", columns.RUNS, overview.runs);
}

// what codifying prevented, as exports of wolkvox showed it
function showImpact(overview) {
  const { impact } = overview;
  $("impact-section").hidden = !impact;
  if (!impact) return;
  setText($("impact-title"), titleOfDays("impact.title", chosenDays(read(location.search), overview)));
  fill("impact", columns.IMPACT_BY_CAMPAIGN, impact.campaigns);
  fill("impact-days", columns.IMPACT_BY_DAY, impact.days);
  fill("sensitivity", columns.lagSensitivity(impact.lag_sensitivity), impact.lag_sensitivity);
}
