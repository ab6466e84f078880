// A reader of the page: the texts of a language, a country's numbers and dates, and a clock.
import { readFileSync } from "node:fs";
import { setOperation } from "../../plugins/wolkvox/page/static/address.js";
import { setLocale } from "../../plugins/wolkvox/page/static/locale.js";
import { setTexts } from "../../plugins/wolkvox/page/static/texts.js";

const STATIC = new URL("../../plugins/wolkvox/page/static/", import.meta.url);
const LOCALES = { en: "en-US", es: "es-CO" };

export const texts = (language) => JSON.parse(readFileSync(new URL(`dictionary.${language}.json`, STATIC), "utf8"));

export function reads(language, zone = "America/Bogota") {
  setTexts(texts(language));
  setLocale({ language, locale: LOCALES[language], zone });
  setOperation(null);
}
