import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { MachineError } from "../machine/errors.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import { onControlPlane } from "./on-control-plane.ts";

/** A run that was killed together with its computer keeps others waiting for so long. A renewal may have to wait for a dead machine first. */
const durationSeconds = 60;
const renewSeconds = 10;
const lookSeconds = 2;

/** What scripts/membership-lease.sh prints. */
const recordSchema = z.object({ holder: z.string(), since: z.string(), version: z.string() });
type LeaseRecord = z.output<typeof recordSchema>;

/**
 * The right to change who is a member of the control plane, as a Lease in the cluster: one run in the whole cluster has it. Pulumi's own
 * lock keeps apart only those who share a backend.
 */
export class MembershipLease {
  readonly #holder: string;
  readonly #reporter: Reporter;
  readonly #ended = new AbortController();
  #controlPlanes: readonly Member[] = [];
  /** When the last answer was asked for that said that it is ours. */
  #confirmedAt = 0;
  /** Since when it is ours, and since when it was at the last `hold`. */
  #since: string | undefined;
  #heldSince: string | undefined;
  #renewing: Promise<void> | undefined;
  #lostTo: LeaseRecord | undefined;

  /** @param holder how others are told who has it */
  constructor(holder: string, reporter: Reporter) {
    // Processes in containers may share their numbers, and their computers' names.
    this.#holder = `${holder} #${randomBytes(3).toString("hex")}`;
    this.#reporter = reporter;
  }

  /**
   * Makes sure that it is ours, and renews it until it is released. One that somebody has and does not renew is taken when its time is
   * over, by this computer's clock: the machines' clocks may differ.
   *
   * @param controlPlanes those that may be asked from now on
   * @returns whether somebody else may have changed something since the last call
   * @throws MachineError when another run has it, and goes on renewing it
   */
  async hold(controlPlanes: readonly Member[]): Promise<boolean> {
    this.#controlPlanes = controlPlanes;
    if (this.#since === undefined) await this.#take();
    else if (Date.now() - this.#confirmedAt > 2 * renewSeconds * 1000) this.#lostTo = this.#unlessOurs(await this.#ask());
    if (this.#lostTo) throw this.#refusal(this.#lostTo);
    this.#renewing ??= this.#renew();
    const isNew = this.#since !== this.#heldSince;
    this.#heldSince = this.#since;
    return isNew;
  }

  /** Gives it back, when it may be ours. One that cannot be given back ends by itself. */
  async release(): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
    await this.#giveBack();
  }

  async #take(): Promise<void> {
    let known = await this.#ask();
    let renewals = 0;
    let end = Date.now() + durationSeconds * 1000;
    for (let record = known; this.#unlessOurs(record); ) {
      this.#reporter.progress(`${record.holder} changes the members of the control plane since ${record.since}: waiting whether it is still there`);
      await sleep(lookSeconds * 1000);
      record = await this.#ask(Date.now() > end ? known.version : "");
      if (record.version === known.version) continue;
      // A run that was killed may renew it once more before it notices.
      if (this.#unlessOurs(record) && ++renewals === 2) throw this.#refusal(record);
      known = record;
      end = Date.now() + durationSeconds * 1000;
    }
  }

  /** Until it is released, lost, or of no use: who is not listened to any more is followed by another run, which is not to wait. */
  async #renew(): Promise<void> {
    const { signal } = this.#ended;
    let renewed = Date.now();
    while (!this.#lostTo) {
      await sleep(lookSeconds * 1000, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      if (this.#reporter.heard?.() === false) return this.#giveBack();
      if (Date.now() - renewed < renewSeconds * 1000) continue;
      renewed = Date.now();
      // While a member comes or goes the API may be away for a moment.
      const record = await this.#ask().catch(() => undefined);
      this.#lostTo = record && this.#unlessOurs(record);
    }
  }

  async #giveBack(): Promise<void> {
    if (this.#controlPlanes.length === 0) return;
    await this.#call("remove", "").catch((error: Error) =>
      this.#reporter.warn(`the Lease of membership changes was not given back, and ends by itself in ${durationSeconds} s: ${error.message}`),
    );
    this.#controlPlanes = [];
  }

  /** Takes or renews it when that is possible. @param over of a record whose time is over @returns who has it then */
  async #ask(over = ""): Promise<LeaseRecord> {
    const askedAt = Date.now();
    const record = recordSchema.parse(await this.#call("apply", over));
    if (!this.#unlessOurs(record)) [this.#since, this.#confirmedAt] = [record.since, askedAt];
    return record;
  }

  #unlessOurs(record: LeaseRecord): LeaseRecord | undefined {
    return record.holder === this.#holder ? undefined : record;
  }

  #call(verb: "apply" | "remove", over: string): Promise<unknown> {
    const environment = { HOLDER: this.#holder, DURATION: String(durationSeconds), OVER: over };
    return onControlPlane(this.#controlPlanes, "membership-lease.sh", verb, this.#reporter, environment);
  }

  #refusal({ holder, since }: LeaseRecord): MachineError {
    return new MachineError({
      machine: this.#controlPlanes[0]!.name,
      stage: "control-plane",
      cause: `${holder} changes the members of this control plane, since ${since}`,
      next: "wait until that run has ended, and run `pulumi up` again",
    });
  }
}
