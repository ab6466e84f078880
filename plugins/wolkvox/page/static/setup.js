// First steps, where something isn't configured yet.
import { toAirflow } from "./content.js";
import { $, element, node, setText, show } from "./dom.js";
import { getJson } from "./requests.js";
import { say } from "./texts.js";

let steps = null;

/** Say what is to be done before there are figures, and by whom. */
export async function showSetup() {
  steps = await getJson("setup");
  if (!steps) return;
  $("customer").hidden = true;
  $("setup").hidden = false;
  setText($("setup-who"), say(steps.may_connect ? "setup.yours" : "setup.others"));
  show($("setup-steps"), ...(steps.may_connect ? [...steps.steps.map(step), ...LATER.map(later)] : []));
}

const LATER = ["check", "dry_run", "unpause"];
const CONNECTIONS = ["wolkvox", "warehouse", "ledger"];

function step({ step: name, about, done }) {
  const said = say(`setup.${name}`, { about });
  const link = !done && CONNECTIONS.includes(name) ? node(toAirflow("connections", say("link.connections"))) : null;
  const mark = element(
    "span",
    { class: done ? "done" : "open", role: "img", "aria-label": say(done ? "setup.done" : "setup.open") },
    done ? "✓" : "✗",
  );
  return element("li", {}, mark, ` ${said} `, link);
}

const later = (name) => element("li", {}, say(`setup.${name}`));

/** There are figures: nothing of it is needed any more. */
export function hideSetup() {
  if (!steps) return;
  steps = null;
  $("setup").hidden = true;
  $("customer").hidden = false;
}
