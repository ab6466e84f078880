// Filters live in the address: a form leads to the address that it stands for.
import { address, pick, read, viewOf } from "./address.js";
import { $ } from "./dom.js";
import { say } from "./texts.js";
import { STATES } from "./titles.js";

// by form: what of the address stays when it is sent
const KEPT = {
  filter: ["run", "dag", "chunk", "dialled", "tab", "full"],
  days: ["tab", "sort"],
  "history-days": ["view", "tab", "sort"],
};

export function fillForms() {
  const state = read(location.search);
  const [first, second] = state.state ?? [];
  const chosen = second ? "pending" : first; // both states of what waits
  const options = STATES.map((name) => new Option(say(`state.${name}`), name, false, name === chosen));
  $("filter").elements.state.replaceChildren(new Option(say("filter.any"), ""), ...options);
  for (const form of Object.keys(KEPT)) {
    for (const field of $(form).querySelectorAll("input")) field.value = state[field.name] ?? "";
  }
}

// A navigation, which Airflow's window takes into its own address.
function go(state) {
  location.search = address(state);
}

function send(form) {
  const chosen = [...new FormData($(form))].filter(([, value]) => value);
  go({ ...pick(read(location.search), KEPT[form]), ...Object.fromEntries(chosen) });
}

export function wireForms() {
  $("operations").addEventListener("change", () => {
    const isHistory = viewOf(read(location.search)) === "history";
    go({ operation: $("operations").value, view: isHistory ? "runs" : null });
  });
  for (const form of Object.keys(KEPT)) {
    $(form).addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
    $(form).addEventListener("reset", () => {
      for (const field of $(form).querySelectorAll("input")) field.value = "";
      setTimeout(() => send(form)); // once the form is empty
    });
  }
}

/** Links that lead back, and on to all runs, in the tab and the operation on screen. */
export function leadLinks() {
  const { tab } = read(location.search);
  for (const link of document.querySelectorAll(".back")) link.href = address({ tab });
  $("all-runs").href = address({ view: "runs", tab });
}
