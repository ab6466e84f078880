import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, explain, say, setTexts } from "../../plugins/wolkvox/page/static/texts.js";
import { reads, texts } from "./reader.js";

test("a count has the form that its language asks for", () => {
  reads("en");
  assert.deepEqual(
    [0, 1, 2].map((one) => counted("chunks", one)),
    ["0 chunks", "1 chunk", "2 chunks"],
  );
  reads("es");
  assert.deepEqual(
    [0, 1, 2].map((one) => counted("chunks", one)),
    ["0 lotes", "1 lote", "2 lotes"],
  );
});

test("a count is written as the reader writes numbers", () => {
  reads("en");
  assert.equal(counted("records", 12_345), "12,345 records");
  reads("es");
  assert.equal(counted("records", 12_345), "12.345 registros");
});

test("a category of a language without a form of its own has the other one's", () => {
  reads("es");
  assert.equal(new Intl.PluralRules("es").select(1_000_000), "many");
  assert.equal(counted("records", 1_000_000), "1.000.000 registros");
});

test("each form of each text is one of a language's categories", () => {
  for (const language of ["en", "es"]) {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, forms] of Object.entries(texts(language))) {
      if (typeof forms === "string") continue;
      assert.ok("other" in forms && "one" in forms, key);
      assert.deepEqual(
        Object.keys(forms).filter((one) => !pluralCategories.includes(one)),
        [],
        key,
      );
    }
  }
});

test("what is put into a text is text, whatever it looks like", () => {
  setTexts({ title: "of {who}", nothing: "of {nobody}!" });
  assert.equal(say("title", { who: "$& {who} <b>" }), "of $& {who} <b>");
  assert.equal(say("nothing"), "of !");
});

test("a key without a text is shown as it is", () => {
  reads("en");
  assert.equal(say("no.such.text"), "no.such.text");
});

test("a reason is explained, whatever HTTP status it ends in and whatever column it names", () => {
  reads("en");
  assert.equal(explain("not_found"), "wolkvox has no such campaign or customer.");
  assert.equal(explain("not_found_404"), "wolkvox has no such campaign or customer.");
  assert.equal(explain("cod_act_missing"), "cod_act is missing in the warehouse.");
  assert.equal(explain("customer_id_not_an_id"), "customer_id can't be an id.");
  assert.equal(explain("nobody_knows_this_one"), null);
  assert.equal(explain(null), null);
});
