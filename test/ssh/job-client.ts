import { runJob, type JobRequest } from "../../machine/job.ts";

// A client of its own, to be killed. Its argument is the request; it prints its progress.
const request = JSON.parse(process.argv[2]!) as Omit<JobRequest, "reporter">;
const print = (text: string) => console.log(text);
console.log(JSON.stringify(await runJob({ ...request, reporter: { progress: print, info: print, warn: print } })));
process.exit(0);
