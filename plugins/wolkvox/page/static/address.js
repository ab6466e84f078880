// The page's address holds its whole state: a link shows the same, and Back goes back.
import { isNothing } from "./nothing.js";

const FILTERS = ["type_campaign", "campaign_id", "state", "reason", "run", "dag", "chunk", "dialled"];
const DAYS = ["since", "until"];
const LISTS = ["state", "sort"]; // what may stand in an address several times

let operation = null; // on screen; goes into every address, where there are several

export function setOperation(name) {
  operation = name ?? null;
}

/** The state that an address holds, by name. */
export function read(search) {
  const query = new URLSearchParams(search);
  const names = [...new Set(query.keys())];
  return Object.fromEntries(names.map((name) => [name, LISTS.includes(name) ? query.getAll(name) : query.get(name)]));
}

/** The query of a state, without what is null or undefined. */
export function query(state) {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...state, operation: state.operation ?? operation })) {
    for (const one of [value].flat()) if (!isNothing(one)) written.append(name, one);
  }
  return written;
}

export const address = (state) => `?${query(state)}`;

export const pick = (state, names) =>
  Object.fromEntries(names.filter((name) => name in state).map((name) => [name, state[name]]));

/** Which of its screens an address asks for: overview, records or history. */
export function viewOf(state) {
  if (state.view === "records" || FILTERS.some((name) => name in state)) return "records";
  return state.view === "runs" ? "history" : "overview";
}

/** What the records on screen are asked for by. */
export const recordsOf = (state) => pick(state, [...FILTERS, ...DAYS, "full"]);

/** What the first screen is asked for by. */
export const overviewOf = (state) => pick(state, [...DAYS, "tab"]);

/** What the runs of the history are asked for by. */
export const historyOf = (state) => ({ ...pick(state, DAYS), dag: state.tab });

/** The same address with whole customer ids, or with masked ones. */
export const withWholeIds = (state, full) => address({ ...state, full: full ? "true" : null });
