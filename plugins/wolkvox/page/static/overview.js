// The first screen.
import { overviewOf, query, read } from "./address.js";
import { drawCharts, forgetCharts } from "./charts.js";
import * as columns from "./columns.js";
import { toAirflow, toRecords } from "./content.js";
import { allowWholeIds } from "./customer.js";
import { $, element, node, setText, show } from "./dom.js";
import { age } from "./formats.js";
import { health, outage, unstarted } from "./health.js";
import { chosenDays } from "./ranges.js";
import { getFigures } from "./requests.js";
import { fill } from "./table.js";
import { tiles } from "./tiles.js";
import { titleOfDays } from "./titles.js";
import { explain, say } from "./words.js";

let shown = null; // the last figures

/** Read the figures and show them; false when there are none. */
export async function readOverview() {
  const overview = await getFigures(`overview?${query(overviewOf(read(location.search)))}`);
  if (!overview) return false;
  if (overview.foreign) showForeign(overview.foreign);
  else showOverview(overview);
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
  $("overview").hidden = false;
  showNotes(overview);
  showHealth(overview.health);
  allowWholeIds(overview);
  show($("tiles"), ...tiles(overview).map(tile));
  show($("slots"), ...overview.slots.map(slotItem));
  showTables(overview);
  showImpact(overview);
  drawCharts(overview);
}

function showNotes({ operation, zone, empty, outage: open, unstarted: chunks }) {
  const { tab } = read(location.search);
  setText($("operation"), `${say("page.operation", { operation })} · ${say("page.days_in", { zone })}`);
  setText($("nothing"), empty ? say("page.nothing") : null);
  setText($("of-tab"), tab ? say("page.of_tab", { dag: tab, operation }) : null);
  setText($("outage"), open && outage(open, explain(open.reason)));
  setText($("unstarted"), chunks && unstarted(chunks));
}

function showHealth(found) {
  const { isGood, sentence, times } = health(found);
  $("health").hidden = false;
  $("health").className = isGood ? "good" : "bad";
  setText($("health-sentence"), sentence);
  setText($("health-times"), times);
}

function tile({ title, value, meter, notes }) {
  const below = [meter ? node({ meter }) : null, ...notes].filter(Boolean);
  return element("div", {}, element("dt", {}, title), ...[value, ...below].map((part) => element("dd", {}, part)));
}

function slotItem(slot) {
  const { number, held, path, task, run, host } = slot;
  const state = held ? say("slots.held", { number, age: age(slot.since) }) : say("slots.free", { number });
  const owner = path
    ? [
        say(held ? "slots.by" : "slots.last_by"),
        node(toAirflow(path, task)),
        say("slots.try", { try: slot.try, host }),
        node(toRecords({ run }, run)),
      ]
    : [say("slots.never")];
  const parts = [element("strong", {}, state), element("br"), element("span", {}, ...owner)];
  return element("li", { class: held ? "held" : null }, ...parts);
}

function showTables(overview) {
  const days = chosenDays(read(location.search), overview);
  $("ages-section").hidden = !overview.ages.some(({ records }) => records);
  $("suspended-section").hidden = overview.suspended.length === 0;
  setText($("campaigns-title"), titleOfDays("campaigns.title", days));
  setText($("reasons-title"), titleOfDays("reasons.title", days));
  fill("ages", columns.AGES, overview.ages);
  fill("suspended", columns.SUSPENDED, overview.suspended);
  fill("campaigns", columns.CAMPAIGNS, overview.campaigns);
  fill("reasons", columns.REASONS, overview.reasons);
  fill("runs", columns.RUNS, overview.runs);
}

// what codifying prevented, as exports of wolkvox showed it
function showImpact(overview) {
  const { impact, breaches } = overview;
  $("impact-section").hidden = !impact;
  if (!impact) return;
  setText($("impact-title"), titleOfDays("impact.title", chosenDays(read(location.search), overview)));
  fill("impact", columns.IMPACT_BY_CAMPAIGN, impact.campaigns);
  fill("impact-days", columns.IMPACT_BY_DAY, impact.days);
  fill("sensitivity", columns.lagSensitivity(impact.lag_sensitivity), impact.lag_sensitivity);
  $("breaches-part").hidden = breaches.length === 0;
  fill("breaches", columns.BREACHES, breaches);
}
