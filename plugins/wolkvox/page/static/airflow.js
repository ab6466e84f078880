// Life inside Airflow's frame: what is known here of Airflow's own page is no promise of Airflow's, and known nowhere
// else.

const LANGUAGE = "i18nextLng"; // keys of Airflow's storage
const ZONE = "timezone";
const MARK = "#wolkvox"; // a tab's address is Airflow's, and always the same: ours stands behind this, for a reload

const framed = window.parent !== window;
const isInTab = () => framed && /\/plugin\/wolkvox-/.test(parent.location.pathname);

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is switched off
  }
}

/** The language and the zone that the reader chose in Airflow; null where none is chosen. */
export const chosen = () => ({ language: stored(LANGUAGE), zone: stored(ZONE) });

export function onChoice(follow) {
  addEventListener("storage", (event) => {
    if (event.key === LANGUAGE || event.key === ZONE) follow();
  });
}

/** Links to Airflow's pages, which the frame keeps from leaving it: Airflow itself follows them. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || !framed) return;
    event.preventDefault();
    const outer = parent.document.createElement("a");
    outer.href = link.href;
    if (event.ctrlKey || event.metaKey) outer.target = "_blank";
    parent.document.body.append(outer);
    outer.click();
    outer.remove();
  });
}

/** Keep the page's address in the tab's, where Airflow forgets it. */
export function rememberAddress() {
  if (!isInTab()) return;
  const { pathname, search } = parent.location;
  parent.history.replaceState(parent.history.state, "", `${pathname}${search}${MARK}${location.search}`);
}

/** Go where the page was before a reload; only when Airflow has just made the frame: later, links lead where they say. */
export function restoreAddress() {
  if (!isInTab() || frameElement.dataset.wolkvox) return;
  frameElement.dataset.wolkvox = "opened";
  const { hash } = parent.location;
  if (hash.startsWith(`${MARK}?`)) history.replaceState(null, "", hash.slice(MARK.length));
}

function takeTheme() {
  if (!framed) return;
  const outer = parent.document.documentElement.classList;
  const theme = ["dark", "light"].find((name) => outer.contains(name));
  if (theme) document.documentElement.dataset.theme = theme;
}

/** Dark or light as Airflow is, or the system; `redraw` draws what style sheets don't reach. */
export function followTheme(redraw) {
  const follow = () => {
    takeTheme();
    redraw();
  };
  if (framed) new MutationObserver(follow).observe(parent.document.documentElement, { attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
  takeTheme();
}
