import { connectivityState, credentials } from "@grpc/grpc-js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { Reporter } from "../machine/reporter.ts";

// The engine starts the provider process with its own address as the first argument.
const address = process.argv[2];
// The engine is on this computer, whatever proxy the environment names.
const client = address === undefined ? undefined : new engineGrpc.EngineClient(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
/** An engine that was killed leaves this process behind. */
let gone = false;

/** Calls back once when the engine is gone. */
export function whenEngineIsGone(callback: () => void): void {
  const channel = client?.getChannel();
  const look = () => {
    const state = channel!.getConnectivityState(true);
    gone = state === connectivityState.TRANSIENT_FAILURE;
    if (gone) return callback();
    channel!.watchConnectivityState(state, Infinity, look);
  };
  if (channel) look();
}

function log(urn: string, severity: number, text: string, ephemeral: boolean): void {
  if (!client) return;
  const request = new engineProto.LogRequest();
  request.setSeverity(severity);
  request.setMessage(text);
  request.setUrn(urn);
  request.setStreamid(0);
  request.setEphemeral(ephemeral);
  // A line that the engine does not take any more (it is going down) is no reason to fail the work.
  client.log(request, () => {});
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
