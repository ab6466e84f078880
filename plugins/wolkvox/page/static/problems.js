// What an answer that isn't good means, for the person at the page.
import { say } from "./texts.js";

const STATUSES = { 401: "login", 403: "forbidden", 404: "none", 422: "address", 429: "often" };
const KEYS = ["setting", "empty", "slow", "away"]; // that the page's own endpoints give

/** A sentence in the reader's language; where there is none, the server's own with its detail. */
export function problem(status, answer) {
  if (status in STATUSES) return say(`problem.${STATUSES[status]}`);
  const { key, problem: said, detail } = answer ?? {};
  if (KEYS.includes(key)) return say(`problem.${key}`);
  const sentence = said ?? say("problem.error");
  return typeof detail === "string" ? `${sentence} ${detail}` : sentence;
}
