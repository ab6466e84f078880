// What an answer that isn't good means, for the person at the page.
import { say } from "./words.js";

const STATUSES = { 401: "login", 403: "forbidden", 422: "address" };
const KEYS = ["setting", "empty", "slow", "away"]; // that the page's own endpoints give

/** A sentence in the reader's language; the detail, which is the server's own, follows it. */
export function problem(status, answer) {
  if (status in STATUSES) return say(`problem.${STATUSES[status]}`);
  const { key, problem: said, detail } = answer ?? {};
  const sentence = KEYS.includes(key) ? say(`problem.${key}`) : (said ?? say("problem.error"));
  return typeof detail === "string" ? `${sentence} ${detail}` : sentence;
}
