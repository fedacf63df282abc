import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readScript, renderEnvironment } from "../../../machine/render.ts";
import { Sandbox } from "./shell.ts";

let sandbox: Sandbox;
const at = (path: string) => join(sandbox.directory, path);

beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox[Symbol.dispose]());

/**
 * A control plane whose kubectl writes down what it is asked and given. The certificate is there at the third look.
 *
 * @param signs whether the controller manager does
 */
function run(request: { REQUEST: string; REQUEST_NAME: string }, signs = true) {
  writeFileSync(at("ca.crt"), "CA of the cluster\n");
  const result = sandbox.run(`
    ${renderEnvironment({ OBJECTS: "kind: ClusterRoleBinding", ...request })}
    ${readScript("client-access.sh").replaceAll("/etc/kubernetes/pki/ca.crt", "$d/ca.crt")}
    control() {
      printf '%s\\n' "$*" >> "$d/asked"
      case "$*" in
        apply* | create*) cat >> "$d/given" ;;
        *status.certificate*) (($(grep -c status.certificate "$d/asked") < 3)) || [[ ${signs} == false ]] || printf %s Q0VSVA== ;;
        *status.conditions*) printf %s '[{"type":"Approved"}]' ;;
      esac
    }
    sleep() { :; }
    ${signs ? "" : 'wait_until() { shift 2; "$@"; }'}
    stage_apply`);
  return { ...result, asked: readFileSync(at("asked"), "utf8").trim().split("\n"), given: readFileSync(at("given"), "utf8") };
}

const request = { REQUEST: "kind: CertificateSigningRequest", REQUEST_NAME: "classroom-s07-admin" };

describe("access to a cluster", () => {
  it("puts roles and bindings back, and tells the CA", () => {
    const { stdout, asked, given } = run({ REQUEST: "", REQUEST_NAME: "" });
    expect(asked).toEqual(["apply --filename=-"]);
    expect(given).toBe("kind: ClusterRoleBinding\n");
    expect(JSON.parse(stdout)).toEqual({ caCert: "CA of the cluster", certificate: "" });
  });

  it("has a certificate signed, and leaves no request", () => {
    const { stdout, asked, given } = run(request);
    expect(JSON.parse(stdout)).toEqual({ caCert: "CA of the cluster", certificate: "Q0VSVA==" });
    expect(given).toContain("kind: CertificateSigningRequest\n");
    expect(asked.slice(1, 4)).toEqual([
      "delete certificatesigningrequest classroom-s07-admin --ignore-not-found",
      "create --filename=-",
      "certificate approve classroom-s07-admin",
    ]);
    expect(asked.at(-1)).toBe("delete certificatesigningrequest classroom-s07-admin");
  });

  it("says what the cluster says of a request that it does not sign", () => {
    const { status, stderr, asked } = run(request, false);
    expect(status).not.toBe(0);
    expect(stderr).toContain('[{"type":"Approved"}]');
    expect(stderr).toContain("!!! the cluster did not sign the certificate classroom-s07-admin");
    expect(asked.at(-1)).toContain("status.conditions");
  });
});
