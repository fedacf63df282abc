import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readScript, renderEnvironment, renderScript } from "../../../machine/render.ts";
import { stageNamed, stages } from "../../../machine/stages/index.ts";
import { cluster, controlPlane, worker } from "./cluster.ts";

describe("what is sent to a machine", () => {
  it.each(stages)("$name is as in golden/$name.sh", async ({ name, script, parameters, environment }) => {
    // The library comes first in each of them, and has tests of its own.
    const sent = renderEnvironment(environment(parameters(cluster, controlPlane))) + renderScript(script).replace(readScript("lib.sh"), "# scripts/lib.sh\n");
    await expect(sent).toMatchFileSnapshot(`golden/${name}.sh`);
  });

  it.each([...stages.map(({ script }) => script), "reset.sh"])("%s is one program that bash understands", (script) => {
    expect(() => execFileSync("bash", ["-n"], { input: renderScript(script), stdio: "pipe" })).not.toThrow();
  });

  it("has every variable that its script reads", () => {
    for (const { script, parameters, environment } of stages) {
      // Upper case is for parameters; the other such variables are bash's own.
      const read = new Set([...readScript(script).matchAll(/\$\{?([A-Z][A-Z_]{2,})\b/g)].map(([, name]) => name!));
      for (const name of ["SECONDS", "BASH_REMATCH", "BASH_COMMAND"]) read.delete(name);
      expect(Object.keys(environment(parameters(cluster, worker))), script).toEqual(expect.arrayContaining([...read]));
    }
  });

  it("is plain JSON before: nothing is lost in Pulumi's state", () => {
    for (const { parameters } of stages) {
      const given = parameters(cluster, controlPlane);
      expect(JSON.parse(JSON.stringify(given))).toEqual(given);
    }
  });

  it("needs no owner to give a machine back, whoever it belongs to", () => {
    expect(stageNamed("claim").environment({})).toEqual({ OWNER: "" });
  });
});

describe("a worker", () => {
  it("pulls only what every node runs", () => {
    const { parameters, environment } = stageNamed("kubernetes-packages");
    expect(environment(parameters(cluster, worker))).toMatchObject({ CONTROL_PLANE: "no" });
    expect(environment(parameters(cluster, controlPlane))).toMatchObject({ CONTROL_PLANE: "yes" });
  });
});

describe("stages", () => {
  it("are applied in this order", () => {
    expect(stages.map(({ name }) => name)).toEqual(["claim", "kernel", "container-runtime", "kubernetes-packages", "names"]);
  });

  it("of another version are refused by name", () => {
    expect(() => stageNamed("firewall")).toThrow('there is no stage "firewall" in this version; there are claim, kernel');
  });
});
