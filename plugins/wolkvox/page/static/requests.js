// Requests to the page's own endpoints, and what to say when they fail.
import { address, setOperation } from "./address.js";
import { $, element, setText } from "./dom.js";
import { timeOfDay } from "./formats.js";
import { zone } from "./locale.js";
import { problem } from "./problems.js";
import { say } from "./texts.js";

const UNSET = ["setting", "empty"]; // what the server says of an installation that isn't configured
const TIMEOUT = 20_000; // milliseconds an answer may take

export const complain = (text) => setText($("problem"), text);

async function request(url, options) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT), ...options });
    if (response.ok) return response;
    const answer = await response.json().catch(() => null);
    complain(problem(response.status, answer));
    if (response.status === 401) offerLogin();
    if (UNSET.includes(answer?.key)) dispatchEvent(new Event("wolkvox-unset"));
  } catch (error) {
    complain(say(error instanceof TypeError ? "problem.silent" : "problem.ledger"));
    console.error(error);
  }
  return null;
}

function offerLogin() {
  $("problem").append(" ", element("a", { href: "./" }, say("page.log_in")));
}

/** An answer that is no figures: what was said of those stays. */
export async function getJson(url) {
  const response = await request(url, { headers: { Accept: "application/json" } });
  return response?.json() ?? null;
}

/** Figures for the screen; null when there are none. */
export async function getFigures(url) {
  const answer = await getJson(url);
  if (!answer) {
    if ($("updated").textContent === say("page.asking")) setText($("updated"), null);
    return null;
  }
  complain(null);
  dispatchEvent(new Event("wolkvox-set"));
  offerOperations(answer);
  setText($("updated"), say("page.as_of", { time: timeOfDay(new Date()), zone: zone() }));
  return answer;
}

function offerOperations({ operation, operations }) {
  if (!operations) return;
  setOperation(operation);
  $("switch").hidden = new URLSearchParams(location.search).has("tab"); // which is one DAG's
  const names = operations.map((name) => element("option", { value: name }, name));
  if ($("operations").options.length !== names.length) $("operations").replaceChildren(...names);
  $("operations").value = operation;
}

/** About one customer, whose id stays out of every address. */
export async function post(path, body) {
  const response = await request(`${path}${address({})}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Wolkvox": "page" },
    body: JSON.stringify(body),
  });
  if (response) complain(null);
  return response;
}
