// A list that comes page by page, the newest rows first.
import { query } from "./address.js";
import { getFigures } from "./requests.js";

/**
 * A list in a `section`, read from `url` with the state that `wanted` gives. `rowsOf` takes the rows out of an answer,
 * and `render` shows all that have come.
 */
export function pagedList({ url, section, wanted, rowsOf, render }) {
  let rows = [];
  let isLong = false; // older rows than the latest ones are on screen

  async function readPage(before) {
    const answer = await getFigures(`${url}?${query({ ...wanted(), before })}`);
    if (!answer) return false;
    isLong = before !== null;
    rows = isLong ? [...rows, ...rowsOf(answer)] : rowsOf(answer);
    section.hidden = false;
    render(rows, answer);
    const button = section.querySelector(".more");
    button.hidden = answer.before === null;
    button.onclick = () => readPage(answer.before);
    return true;
  }

  /** Read the latest rows, unless older ones are on screen: they would go. */
  return { refresh: () => (isLong ? Promise.resolve(true) : readPage(null)) };
}
