// The screen of all runs.
import { historyOf, read } from "./address.js";
import { RUNS } from "./columns.js";
import { $ } from "./dom.js";
import { pagedList } from "./pages.js";
import { fill } from "./table.js";

const list = pagedList({
  url: "runs",
  section: $("history"),
  wanted: () => historyOf(read(location.search)),
  rowsOf: (answer) => answer.runs,
  render: (runs) => fill("history-runs", RUNS, runs),
});

export const readHistory = () => list.refresh();
