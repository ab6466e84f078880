// The page: shows what its address asks for, and asks again every fifteen seconds.
import { read, setOperation, viewOf } from "./address.js";
import * as airflow from "./airflow.js";
import { renderCustomer, wireCustomer } from "./customer.js";
import { $ } from "./dom.js";
import { fillForms, leadLinks, wireForms } from "./forms.js";
import { readHistory } from "./history.js";
import { loadLanguage } from "./language.js";
import { isForeignRun, readOverview, redrawCharts, renderOverview } from "./overview.js";
import { poller } from "./polling.js";
import { readRecords, renderRecords } from "./records.js";
import { renderService } from "./service.js";
import { hideSetup, showSetup } from "./setup.js";
import { fillAgain } from "./table.js";
import { say } from "./texts.js";

const EVERY = 15_000; // milliseconds between an answer and the next request
const LONGEST = 300_000; // the same while requests fail

const READ = { overview: readOverview, records: readRecords, history: readHistory };
const screen = () => viewOf(read(location.search));

// Whole ids are not asked for again by themselves: each time is noted in Airflow's audit log.
const isOnce = () => read(location.search).full === "true";
let isForeign = false;
let isFirst = true;

async function poll() {
  if (document.hidden || isForeign || (isOnce() && !isFirst)) return true;
  isFirst = false;
  return READ[screen()]();
}

const polls = poller(poll, { every: EVERY, longest: LONGEST });

async function arrive() {
  leadLinks();
  airflow.rememberAddress();
  fillForms();
  renderRecords();
  $("loading").hidden = screen() !== "overview";
  isForeign = await isForeignRun();
  await polls.now();
  leadLinks(); // the answer may have named the operation
}

async function followLanguage() {
  await loadLanguage();
  fillForms();
  fillAgain();
  renderCustomer();
  renderRecords();
  renderOverview();
  renderService();
  await polls.now();
}

function wirePage() {
  wireForms();
  wireCustomer();
  airflow.followLinks();
  airflow.followTheme(redrawCharts);
  airflow.onChoice(followLanguage);
  addEventListener("wolkvox-unset", showSetup);
  addEventListener("wolkvox-set", hideSetup);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) redrawCharts();
    width = innerWidth;
  });
  addEventListener("beforeprint", () => {
    for (const table of document.querySelectorAll("figure details")) table.open = true;
  });
  document.addEventListener("visibilitychange", polls.now);
  $("print").addEventListener("click", () => print());
}

airflow.restoreAddress();
setOperation(read(location.search).operation);
await loadLanguage();
$("updated").textContent = say("page.asking");
wirePage();
await arrive();
