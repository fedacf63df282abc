import { isDeepStrictEqual } from "node:util";
import { notKnownYet } from "../kubeadm/fields.ts";
import type { Reporter } from "../machine/reporter.ts";

/** True when the value, or anything inside it, is not known yet. */
export const hasUnknown = (value: unknown): boolean => JSON.stringify(value ?? null).includes(notKnownYet);

/** A fault in a resource's inputs, shown by the engine as an error before anything is touched. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

/** What the provider remembers of a resource besides its inputs. */
export interface Remembered {
  readonly status?: "ok" | "partial";
  readonly drift?: string[];
}

/**
 * One kind of resource as Pulumi's engine drives it. Inputs are plain JSON. The engine's real behaviour behind each verb is
 * the provider protocol's: https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/
 *
 * @typeParam I the inputs
 * @typeParam O what create and update add to the inputs to make the outputs
 */
export interface Lifecycle<I extends object, O extends object = object> {
  /** Adds to or refuses the inputs. Called in preview and in up, one resource after the other: only Preflight may connect. */
  check?(olds: Partial<I>, news: I, reporter: Reporter): Promise<{ inputs: I; failures: CheckFailure[] }>;
  /** Names the inputs whose change makes this another thing, so that the old one is deleted first. Pure. */
  replaces?(olds: I & O, news: I): string[];
  /** Inputs that only say how to reach a machine: a change is stored without doing the work again. */
  readonly quiet?: readonly (keyof I & string)[];
  /** Inputs in which a check keeps notes for itself: a change of them alone is no change. */
  readonly notes?: readonly (keyof I & string)[];
  /** Whether there is work although no input has changed. Pure. */
  due?(olds: I & O, news: I): boolean;
  /** Names of the outputs that are no inputs. */
  readonly computed?: readonly (keyof O & string)[];
  /** Outputs that are known before the work of an update begins, and stay in the state when it fails. Pure. */
  remembers?(olds: I & O, news: I): Partial<O>;
  create(inputs: I, reporter: Reporter): Promise<O>;
  update(olds: I & O, news: I, reporter: Reporter): Promise<O>;
  /** Looks at the machine and changes nothing: what differs from what was asked for, a sentence each. */
  drift?(outputs: I & O, reporter: Reporter): Promise<string[]>;
  remove(outputs: I & O, reporter: Reporter): Promise<void>;
}

/**
 * Names of the inputs that differ between what is remembered and what is asked for.
 *
 * @param notes inputs that do not count
 */
export function changedInputs(olds: Record<string, unknown>, news: Record<string, unknown>, notes: readonly string[] = []): string[] {
  const bookkeeping = new Set(["__provider", "self", "kind", "status", "drift", ...notes]);
  return Object.keys(news)
    .concat(Object.keys(olds).filter((key) => key in news))
    .filter((key, index, all) => !bookkeeping.has(key) && all.indexOf(key) === index)
    .filter((key) => !isDeepStrictEqual(olds[key], news[key]));
}
