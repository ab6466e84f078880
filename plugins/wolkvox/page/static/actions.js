// What the page does rather than shows: a file of evidence, and a run of Airflow's for one customer.
import { element } from "./dom.js";
import { language } from "./locale.js";
import { post } from "./requests.js";

const KEPT = 10_000; // milliseconds that a file stays for the browser to fetch it

export async function downloadEvidence(kind, customer) {
  const response = await post(`evidence.${kind}`, { ...customer, language: language() });
  if (!response) return;
  const href = URL.createObjectURL(await response.blob());
  element("a", { href, download: `wolkvox-evidence.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT);
}

/** The run that sends the customer, and whether the DAG is paused; null when there is none. */
export async function sendCustomer(customer) {
  const response = await post("send", customer);
  return response?.json();
}
