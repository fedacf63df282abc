import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maskOf } from "../../../machine/masking.ts";
import { readLibrary, renderEnvironment, renderScript } from "../../../machine/render.ts";

test("bash reads from rendered parameters exactly what was put in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")), (text) => {
      const script = `${renderEnvironment({ TEXT: text })}printf %s "$TEXT"`;
      expect(execFileSync("bash", { input: script, encoding: "utf8" })).toBe(text);
    }),
    { numRuns: 50, examples: [["it's\n$HOME `x` \\ \"q\" !! \n\n"]] },
  );
});

test.each(["lower", "A B", "A;B", "1A", ""])("%j is no name of a parameter", (name) => {
  expect(() => renderEnvironment({ [name]: "x" })).toThrow("cannot be the name of a parameter");
});

test("a NUL character is refused by the parameter's name, without its value", () => {
  expect(() => renderEnvironment({ A_TOKEN: "secret\0" })).toThrow(/^The parameter A_TOKEN has a NUL character in it$/);
});

test("the library has every file of scripts/lib, whole", () => {
  const directory = new URL("../../../scripts/lib/", import.meta.url);
  const library = readLibrary();
  for (const file of readdirSync(directory)) expect(library.includes(readFileSync(new URL(file, directory), "utf8")), file).toBe(true);
});

test("a rendered script is the library, the file, and the call of the verb", () => {
  const script = renderScript("kernel.sh");
  expect(script.indexOf("stage_main() {")).toBeLessThan(script.indexOf("stage_inspect() {"));
  expect(script.endsWith('\nstage_main "$@"\n')).toBe(true);
});

test("values of parameters with a secret's name are masked, each line of them, and others are not", () => {
  const mask = maskOf({ JOIN_TOKEN: "abcdef.0123", CERTIFICATE_KEY: "line one\nline two", A_PASSWORD: "abcdef.0123456", NODE_NAME: "worker", SHORT_KEY: "a" });
  expect(mask("abcdef.0123456 abcdef.0123 line two of worker a")).toBe("*** *** *** of worker a");
});
