// Requests to the page's own endpoints, and what to say when they fail.
import { $, address as asked, element, ofOperation } from "./elements.js";
import { clock, say, zone } from "./words.js";

const PATIENCE = 20_000; // milliseconds an answer may take
const STATUSES = { 401: "problem.login", 403: "problem.forbidden", 422: "problem.address" };

export function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

// what an answer that isn't good means, for the person at the page
async function trouble(response) {
  if (response.status in STATUSES) return say(STATUSES[response.status]);
  const answer = await response.json().catch(() => ({}));
  if (answer.key === "setting") return answer.problem;
  return answer.key ? say(`problem.${answer.key}`) : (answer.problem ?? say("problem.error"));
}

async function ask(address, options) {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE), ...options });
    if (response.ok) return response;
    complain(await trouble(response));
    if (response.status === 401) offerLogin();
  } catch (error) {
    complain(error instanceof TypeError ? say("problem.silent") : say("problem.ledger"));
    console.error(error);
  }
  return null;
}

function offerLogin() {
  const link = document.createElement("a");
  link.href = "./";
  link.textContent = say("page.log_in");
  $("problem").append(" ", link);
}

// figures for the screen; null when there are none
export async function look(address) {
  const response = await ask(address, { headers: { Accept: "application/json" } });
  if (!response) return null;
  const answer = await response.json();
  complain("");
  offerOperations(answer);
  $("updated").textContent = say("page.as_of", { time: clock(new Date()), zone: zone() });
  return answer;
}

function offerOperations({ operation, operations }) {
  if (!operations) return;
  ofOperation(operation);
  $("switch").hidden = new URLSearchParams(location.search).has("tab"); // which is one DAG's
  const names = operations.map((name) => element("option", { value: name }, name));
  if ($("operations").options.length !== names.length) $("operations").replaceChildren(...names);
  $("operations").value = operation;
}

// about one customer, whose id stays out of every address
export const tell = (address, body) =>
  ask(`${address}${asked({})}`, { method: "POST", headers: { "Content-Type": "application/json", "X-Wolkvox": "page" }, body: JSON.stringify(body) });
