import type { dynamic } from "@pulumi/pulumi";
import { changedInputs, type Lifecycle, type Remembered } from "./lifecycle.ts";
import { engineReporter, whenEngineIsGone } from "./engine-log.ts";
import { preflightLifecycle } from "./preflight.ts";
import { stageLifecycle } from "./stage.ts";
import { controlPlaneLifecycle } from "./control-plane.ts";
import { flannelLifecycle } from "./flannel.ts";
import { workerLifecycle } from "./worker.ts";
import type { Kind } from "./resource.ts";

/** What the engine hands over: a lifecycle's inputs or outputs with the kit's bookkeeping. */
type Properties = Record<string, unknown> & Remembered & { kind: Kind; self: string };

// One provider process serves all kinds; what their inputs are is each lifecycle's own affair.
const lifecycles: Record<Kind, Lifecycle<any, any>> = {
  Preflight: preflightLifecycle,
  Stage: stageLifecycle,
  ControlPlane: controlPlaneLifecycle,
  Flannel: flannelLifecycle,
  Worker: workerLifecycle,
};

/** Verbs that are at work in this process. */
let atWork = 0;
let orphaned = false;

// An engine that was killed does not end its providers: this one ends itself, once what it does on machines has come to its end.
whenEngineIsGone(() => {
  orphaned = true;
  endIfOrphaned();
});

function endIfOrphaned(): void {
  if (orphaned && atWork === 0) process.exit();
}

function verb<Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>): (...args: Args) => Promise<Result> {
  return async (...args) => {
    atWork += 1;
    try {
      return await work(...args);
    } finally {
      atWork -= 1;
      endIfOrphaned();
    }
  };
}

const nameOf = (properties: Properties) => properties.self.split("::").at(-1)!;

/**
 * A failure after which the engine keeps the resource, so that the next `up` updates it and `destroy` deletes it.
 * A plain error from create would leave nothing in the state, and a half-prepared machine would be forgotten.
 */
function partialFailure(id: string, properties: object, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(reason), { id, properties, reasons: [reason] });
}

/** For verbs that know no partial failure. Without its stack the engine prints the message once and no file paths. */
function plainFailure(cause: unknown): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  error.stack = "";
  return error;
}

export const check = verb(async (olds: Properties, news: Properties): Promise<dynamic.CheckResult> => {
  const lifecycle = lifecycles[news.kind];
  if (!lifecycle.check) return { inputs: news, failures: [] };
  try {
    const { inputs, failures } = await lifecycle.check(olds ?? {}, news, engineReporter(news.self));
    // The SDK cannot send a property that is undefined, however deep it lies.
    return { inputs: JSON.parse(JSON.stringify(inputs)), failures };
  } catch (error) {
    return { inputs: news, failures: [{ property: "", reason: plainFailure(error).message }] };
  }
});

export async function diff(_id: string, olds: Properties, news: Properties): Promise<dynamic.DiffResult> {
  const lifecycle = lifecycles[news.kind];
  const changed = changedInputs(olds, news, lifecycle.notes);
  return {
    changes: changed.length > 0 || olds.status !== "ok" || (olds.drift ?? []).length > 0 || (lifecycle.due?.(olds, news) ?? false),
    replaces: lifecycle.replaces?.(olds, news) ?? [],
  };
}

export const create = verb(async (inputs: Properties): Promise<dynamic.CreateResult> => {
  const id = nameOf(inputs);
  try {
    const computed = await lifecycles[inputs.kind].create(inputs, engineReporter(inputs.self));
    return { id, outs: { ...inputs, ...computed, status: "ok" } };
  } catch (error) {
    throw partialFailure(id, { ...inputs, status: "partial" }, error);
  }
});

export const update = verb(async (id: string, olds: Properties, news: Properties): Promise<dynamic.UpdateResult> => {
  const lifecycle = lifecycles[news.kind];
  const onlyHowToReach =
    olds.status === "ok" &&
    (olds.drift ?? []).length === 0 &&
    !lifecycle.due?.(olds, news) &&
    changedInputs(olds, news, lifecycle.notes).every((key) => lifecycle.quiet?.includes(key));
  if (onlyHowToReach) return { outs: { ...olds, ...news, status: "ok" } };
  const remembered = lifecycle.remembers?.(olds, news) ?? {};
  try {
    const computed = await lifecycle.update(olds, news, engineReporter(news.self));
    return { outs: { ...olds, ...news, ...computed, status: "ok" } };
  } catch (error) {
    throw partialFailure(id, { ...olds, ...news, ...remembered, status: "partial" }, error);
  }
});

export const read = verb(async (id: string, outputs: Properties): Promise<dynamic.ReadResult> => {
  const lifecycle = lifecycles[outputs.kind];
  // Half-done work is finished by the next `up`; comparing it with what was asked for would only say so at length.
  if (!lifecycle.drift || outputs.status !== "ok") return { id, props: outputs };
  let drift: string[];
  try {
    drift = await lifecycle.drift(outputs, engineReporter(outputs.self));
  } catch (error) {
    // A refresh that throws saves nothing of any resource, so what cannot be looked at is told as drift.
    drift = [error instanceof Error ? error.message : String(error)];
  }
  const props = { ...outputs, drift };
  // Also as inputs: only what differs in the inputs is named by `refresh` and shown by `preview --diff`.
  return { id, props, inputs: inputsOf(props) };
});

export const remove = verb(async (_id: string, outputs: Properties): Promise<void> => {
  try {
    await lifecycles[outputs.kind].remove(outputs, engineReporter(outputs.self));
  } catch (error) {
    throw plainFailure(error);
  }
});

/** The inputs among the outputs, for a refresh that shows drift as a changed input. */
function inputsOf(outputs: Properties): Properties {
  const { status: _status, ...inputs } = outputs;
  const computed = lifecycles[outputs.kind].computed ?? [];
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => !computed.includes(key))) as Properties;
}
