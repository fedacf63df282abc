import { credentials, status } from "@grpc/grpc-js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { Reporter } from "../machine/reporter.ts";

// The engine starts the provider process with its own address as the first argument.
const address = process.argv[2];
/** Whether the engine was not there at the last line: one that was killed leaves this process behind. */
let gone = false;
let client: InstanceType<typeof engineGrpc.EngineClient> | undefined;

function log(urn: string, severity: number, text: string, ephemeral: boolean): void {
  if (!address) return;
  client ??= new engineGrpc.EngineClient(address, credentials.createInsecure());
  const request = new engineProto.LogRequest();
  request.setSeverity(severity);
  request.setMessage(text);
  request.setUrn(urn);
  request.setStreamid(0);
  request.setEphemeral(ephemeral);
  // A line that the engine does not take any more (it is going down) is no reason to fail the work.
  client.log(request, (error) => (gone = error?.code === status.UNAVAILABLE));
}

/**
 * Writes into a resource's own row of `pulumi up`.
 *
 * @param urn the resource's URN; a progress text is live and goes away, the others stay and are listed at the end
 */
export function engineReporter(urn: string): Reporter {
  const { INFO, WARNING } = engineProto.LogSeverity;
  return {
    progress: (text) => log(urn, INFO, text, true),
    info: (text) => log(urn, INFO, text, false),
    warn: (text) => log(urn, WARNING, text, false),
    heard: () => !gone,
  };
}
