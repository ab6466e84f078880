// The reader's language and clock: Airflow's own choice, else the browser's.
import { chosen } from "./airflow.js";
import { pickLanguage, pickLocale, readZone, setLocale } from "./locale.js";
import { say, setTexts } from "./texts.js";

const catalogues = {};

export async function loadLanguage() {
  const wanted = chosen();
  const language = pickLanguage([wanted.language, ...navigator.languages]);
  catalogues[language] ??= await (await fetch(new URL(`dictionary.${language}.json`, import.meta.url))).json();
  setTexts(catalogues[language]); // only now: whatever is shown meanwhile finds its texts
  setLocale({ language, locale: pickLocale(language, navigator.languages), zone: readZone(wanted.zone) });
  document.documentElement.lang = language;
  document.documentElement.dataset.ready = ""; // from now on, whatever is shown has a name
  for (const place of document.querySelectorAll("[data-text]")) place.textContent = say(place.dataset.text);
}
