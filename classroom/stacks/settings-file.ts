import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, parseDocument, stringify } from "yaml";

const heading = (madeFrom: string) => `# Made from ${madeFrom} by \`classroom\`: the next \`classroom up\` writes it anew.\n`;

/**
 * Writes the configuration of a stack that exists, and keeps with what its secrets are encrypted.
 *
 * @param project directory of Pulumi.yaml
 * @param config values by keys without the project's prefix
 * @param madeFrom the class file, for whoever opens the file
 */
export function writeStackSettings(project: string, projectName: string, stack: string, config: object, madeFrom: string): void {
  const path = join(project, `Pulumi.${stack}.yaml`);
  // A stack that another checkout made has no file here yet; Pulumi puts back what its secrets need.
  const { contents } = parseDocument(existsSync(path) ? readFileSync(path, "utf8") : "");
  // Besides the configuration there is only what a stack's secrets need: encryptionsalt, secretsprovider, encryptedkey.
  const kept = isMap(contents) ? Object.fromEntries(Object.entries(contents.toJSON() as object).filter(([key]) => key !== "config")) : {};
  const prefixed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`${projectName}:${key}`, value as unknown]));
  // A reader in the same moment, such as `pulumi stack ls`, sees the old file or the new one.
  writeFileSync(`${path}.new`, heading(madeFrom) + stringify({ ...kept, config: prefixed }, { aliasDuplicateObjects: false, lineWidth: 0 }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
