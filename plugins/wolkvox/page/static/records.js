// The screen of records.
import { query, read, recordsOf, withWholeIds } from "./address.js";
import { allowWholeIds } from "./customer.js";
import { $, setText } from "./dom.js";
import { language } from "./locale.js";
import { pagedList } from "./pages.js";
import { columnsOf } from "./record-columns.js";
import { fill } from "./table.js";
import { say } from "./texts.js";
import { recordsTitle } from "./titles.js";

const asked = () => read(location.search);
const hasWholeIds = () => asked().full === "true";

const list = pagedList({
  url: "rows",
  section: $("records"),
  wanted: () => recordsOf(asked()),
  rowsOf: (answer) => answer.rows,
  render: showRecords,
});

function showRecords(rows, answer) {
  $("none").hidden = rows.length > 0;
  fill("rows", columnsOf(rows), rows);
  $("ids").hidden = !answer.may_see_ids;
  allowWholeIds(answer);
}

/** Heading and links: they need no figures. */
export function renderRecords() {
  const records = recordsOf(asked());
  setText($("records-title"), recordsTitle(asked()));
  for (const kind of ["csv", "xlsx"]) $(kind).href = `rows.${kind}?${query({ ...records, language: language() })}`;
  $("ids").textContent = say(hasWholeIds() ? "records.mask" : "records.unmask");
  $("ids").href = withWholeIds(asked(), !hasWholeIds());
}

export const readRecords = () => list.refresh();
