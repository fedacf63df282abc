import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Preparation } from "../../../kubeadm/settings.ts";
import { readLibrary, readScript, renderEnvironment, renderScript } from "../../../machine/render.ts";
import { stageNamed, stages, stagesOf, type Stage } from "../../../machine/stages/index.ts";
import type { LoginsParameters } from "../../../machine/stages/logins.ts";
import { cluster, controlPlane, publicKeys, threeControlPlanes, withLogins, worker } from "./cluster.ts";

/** A cluster that has the stage. */
const clusterWith = (stage: Stage) => [cluster, threeControlPlanes(), withLogins].find((settings) => stage.appliesTo?.(settings, controlPlane) ?? true)!;

describe("what is sent to a machine", () => {
  it.each(stages)("$name is as in golden/$name.sh", async (stage) => {
    const { name, script, parameters, environment } = stage;
    // The library comes first in each of them, and has tests of its own.
    const sent = renderEnvironment(environment(parameters(clusterWith(stage), controlPlane))) + renderScript(script).replace(readLibrary(), "# scripts/lib/\n");
    await expect(sent).toMatchFileSnapshot(`golden/${name}.sh`);
  });

  it.each([...stages.map(({ script }) => script), "reset.sh"])("%s is one program that bash understands", (script) => {
    expect(() => execFileSync("bash", ["-n"], { input: renderScript(script), stdio: "pipe" })).not.toThrow();
  });

  it("has every variable that its script reads", () => {
    for (const stage of stages) {
      const { script, parameters, environment } = stage;
      // Upper case is for parameters; the other such variables are bash's own.
      const read = new Set([...readScript(script).matchAll(/\$\{?([A-Z][A-Z_]{2,})\b/g)].map(([, name]) => name!));
      for (const name of ["SECONDS", "BASH_REMATCH", "BASH_COMMAND"]) read.delete(name);
      expect(Object.keys(environment(parameters(clusterWith(stage), worker))), script).toEqual(expect.arrayContaining([...read]));
    }
  });

  it("is plain JSON before: nothing is lost in Pulumi's state", () => {
    for (const stage of stages) {
      const given = stage.parameters(clusterWith(stage), controlPlane);
      expect(JSON.parse(JSON.stringify(given))).toEqual(given);
    }
  });

  it("needs no owner to give a machine back, whoever it belongs to", () => {
    expect(stageNamed("claim").environment({})).toEqual({ OWNER: "" });
  });
});

describe("machines that are only prepared", () => {
  const to = (prepareTo: Preparation) => stagesOf({ ...cluster, prepareTo }, controlPlane).map(({ name }) => name);

  it("get no stage behind the one that they are prepared to", () => {
    expect(to("bare")).toEqual(["claim"]);
    expect(to("runtime")).toEqual(["claim", "kernel", "container-runtime", "names"]);
    expect(to("packages")).toEqual(["claim", "kernel", "container-runtime", "kubernetes-packages", "names"]);
    expect(stagesOf({ ...threeControlPlanes(), prepareTo: "packages" }, controlPlane)).not.toContain(stageNamed("endpoint"));
  });

  it("know the API's name as the first control plane: nothing moves the floating address yet", () => {
    const { parameters } = stageNamed("names");
    expect(parameters({ ...threeControlPlanes(), prepareTo: "packages" }, worker)).toMatchObject({ endpoint: { address: "10.0.0.11" } });
    expect(parameters(threeControlPlanes(), worker)).toMatchObject({ endpoint: { address: "10.0.0.100" } });
  });
});

describe("a worker", () => {
  it("pulls only what every node runs", () => {
    const { parameters, environment } = stageNamed("kubernetes-packages");
    expect(environment(parameters(cluster, worker))).toMatchObject({ CONTROL_PLANE: "no" });
    expect(environment(parameters(cluster, controlPlane))).toMatchObject({ CONTROL_PLANE: "yes" });
  });
});

describe("the API's name stands for", () => {
  const { parameters, environment } = stageNamed("names");

  it("the only control plane", () => {
    expect(parameters(cluster, worker)).toEqual({
      endpoint: { name: "kubernetes-api.internal", address: "10.0.0.11" },
      nodes: [
        { name: "cp1", address: "10.0.0.11" },
        { name: "w1", address: "10.0.0.21" },
      ],
    });
  });

  it.each([{ vip: "10.0.0.100" }, { external: "10.0.0.100" }])("%o", (endpoint) => {
    const names = environment(parameters(threeControlPlanes(endpoint), worker));
    expect(names.HOSTS).toBe("10.0.0.11 cp1\n10.0.0.12 cp2\n10.0.0.13 cp3\n10.0.0.21 w1\n10.0.0.100 kubernetes-api.internal\n");
    expect(names.ENDPOINT_ADDRESS).toBe("10.0.0.100");
  });

  it("what the machines find themselves, when it is a balancer's", () => {
    const names = environment(parameters(threeControlPlanes({ name: "api.example.com", external: "api.example.com" }), worker));
    expect(names.HOSTS).toBe("10.0.0.11 cp1\n10.0.0.12 cp2\n10.0.0.13 cp3\n10.0.0.21 w1\n");
    expect(names.ENDPOINT_ADDRESS).toBe("");
  });
});

describe("who can log in", () => {
  const { parameters } = stageNamed("logins");
  const namesAndKeys = (machine: typeof worker, settings = withLogins) =>
    (parameters(settings, machine) as LoginsParameters).logins.map(({ name, authorizedKeys }) => [name, ...authorizedKeys]);

  it("are the users of the settings, and the operator as the user of that machine", () => {
    const [student, helper] = [["student", publicKeys.student], ["helper", publicKeys.helper]];
    expect(namesAndKeys(controlPlane)).toEqual([student, helper, ["ops", publicKeys.operator]]);
    expect(namesAndKeys({ ...worker, user: "debian" })).toEqual([student, helper, ["debian", publicKeys.operator]]);
  });

  it("has the keys of both where the operator comes as one of the users", () => {
    expect(namesAndKeys({ ...worker, user: "student" })).toEqual([["helper", publicKeys.helper], ["student", publicKeys.student, publicKeys.operator]]);
  });
});

describe("stages", () => {
  it("are applied in this order", () => {
    expect(stages.map(({ name }) => name)).toEqual(["claim", "logins", "kernel", "container-runtime", "kubernetes-packages", "endpoint", "names"]);
  });

  it("are the same everywhere, but for the endpoint's, which is for control planes that keep an address, and the logins', which is where there are some", () => {
    const namesOf = (settings: typeof cluster, machine: typeof worker) => stagesOf(settings, machine).map(({ name }) => name);
    const everywhere = ["claim", "kernel", "container-runtime", "kubernetes-packages", "names"];
    expect(namesOf(cluster, controlPlane)).toEqual(everywhere);
    expect(namesOf(threeControlPlanes({ external: "10.0.0.200" }), controlPlane)).toEqual(everywhere);
    expect(namesOf(threeControlPlanes(), worker)).toEqual(everywhere);
    expect(namesOf(threeControlPlanes(), controlPlane)).toEqual(everywhere.toSpliced(4, 0, "endpoint"));
    for (const machine of [controlPlane, worker]) expect(namesOf(withLogins, machine)).toEqual(everywhere.toSpliced(1, 0, "logins"));
    expect(namesOf({ ...withLogins, logins: [] }, worker)).toContain("logins");
  });

  it("of another version are refused by name", () => {
    expect(() => stageNamed("firewall")).toThrow('there is no stage "firewall" in this version; there are claim, logins');
  });
});
