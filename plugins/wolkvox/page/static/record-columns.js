// The table of records.
import * as content from "./content.js";
import { number, timestamp } from "./formats.js";
import { isNothing } from "./nothing.js";
import { explain, say } from "./texts.js";

const time = (name, field) => ({
  name,
  kind: "nowrap",
  cell: (row) => row[field] && timestamp(row[field]),
  value: (row) => row[field],
});

function log({ task_path: path, chunk_number: chunk }) {
  const text = chunk ? say("records.chunk", { chunk: String(chunk) }) : say("records.stage");
  return path && content.toAirflow(path, text);
}

export const RECORDS = [
  { name: "customer", kind: "nowrap", cell: content.customer, value: (row) => row.customer_id },
  {
    name: "campaign",
    kind: "nowrap",
    cell: (row) =>
      content.campaign(row, { type_campaign: row.type_campaign ?? "", campaign_id: row.campaign_id ?? "" }),
    value: content.campaignName,
  },
  { name: "state", kind: "", cell: (row) => content.state(row.state), value: (row) => row.state },
  {
    name: "reason",
    kind: "text",
    cell: (row) => content.reason(row.reason, { state: [row.state], reason: row.reason }),
    value: (row) => row.reason,
  },
  time("dialled_at", "dialled_at"),
  {
    name: "cause",
    kind: "text",
    cell: (row) => row.breach && content.noted(say(`breach.${row.breach}`), explain(`breach_${row.breach}`)),
    value: (row) => row.breach,
  },
  time("contacted", "contacted_at"),
  time("settled", "settled_at"),
  { name: "message", kind: "text", cell: (row) => row.response_msg },
  { name: "code", kind: "", cell: (row) => row.cod_act, value: (row) => row.cod_act },
  { name: "requests", kind: "number", cell: (row) => number(row.attempts), value: (row) => row.attempts, total: true },
  { name: "channel", kind: "nowrap", cell: content.channel, value: (row) => row.channel },
  time("next_attempt", "not_before"),
  {
    name: "run",
    kind: "text",
    cell: (row) => row.dag_run_id && content.toRecords({ run: row.dag_run_id, dag: row.dag_id }, row.dag_run_id),
    value: (row) => row.dag_run_id,
  },
  { name: "log", kind: "nowrap", cell: log },
];

const isEmpty = (cell) => isNothing(cell) || cell === "";

/** The columns that have something in one of the rows. */
export const columnsOf = (rows) =>
  rows.length ? RECORDS.filter(({ cell }) => rows.some((row) => !isEmpty(cell(row)))) : RECORDS;
