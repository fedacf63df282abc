import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The part of vitest's JSON report that the summary reads. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

const directory = process.argv[2]!;
const reports = readdirSync(directory).map((file) => JSON.parse(readFileSync(join(directory, file), "utf8")) as Report);
const sum = (count: (report: Report) => number) => reports.reduce((total, report) => total + count(report), 0);

const skipped = reports.flatMap(({ testResults }) =>
  testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => ["pending", "skipped"].includes(status))),
);
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
const passed = sum(({ numPassedTests }) => numPassedTests);
const failed = sum(({ numFailedTests }) => numFailedTests);
console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
process.exit(passed > 0 ? 0 : 1);
