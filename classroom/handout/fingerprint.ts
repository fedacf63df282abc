import { fingerprintOf } from "../../machine/host-key.ts";

/** `SHA256:…` of a key given as text, `ssh-ed25519 AAAA…`, as `ssh-keygen -l` prints it. */
export const fingerprintOfText = (key: string): string => fingerprintOf(Buffer.from(key.split(" ")[1] ?? "", "base64"));
