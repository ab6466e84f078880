// The share of contacts that came within the target, by campaign and by channel: asked for less often than the rest.
import { overviewOf, pick, query, read } from "./address.js";
import * as columns from "./columns.js";
import { $, setText } from "./dom.js";
import { duration, percent } from "./formats.js";
import { fillHeat } from "./heat.js";
import { getFigures } from "./requests.js";
import { fill } from "./table.js";
import { say } from "./texts.js";

const EVERY = 60_000; // milliseconds
let readAt = Number.NEGATIVE_INFINITY;
let shown = null;

/** Read the shares, once a minute. */
export async function readService(now = performance.now()) {
  if (now - readAt < EVERY) return;
  const answer = await getFigures(`service?${query(overviewOf(read(location.search)))}`);
  if (!answer) return;
  readAt = now;
  shown = answer;
  renderService();
}

/** In the reader's language. */
export function renderService() {
  if (!shown) return;
  const { all, campaigns, channels, heat, lag_target: target } = shown;
  $("heat-section").hidden = heat.length === 0;
  fillHeat($("heat"), heat, target);
  const days = pick(read(location.search), ["since", "until"]);
  $("service-section").hidden = !all;
  if (!all) return;
  const title = Object.keys(days).length ? "service.title_chosen" : "service.title";
  setText($("service-title"), say(title, { target: duration(target) }));
  setText(
    $("service-all"),
    say("service.all", { share: percent(all.share), within: all.within, records: all.records }),
  );
  fill("service-campaigns", columns.SERVICE_BY_CAMPAIGN, campaigns);
  fill("service-channels", columns.SERVICE_BY_CHANNEL, channels);
}
