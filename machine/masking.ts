const secretName = /(_TOKEN|_KEY|_PASSWORD)$/;
/** A shorter value would mask ordinary text, and is no secret worth the name. */
const shortest = 4;

/** Replaces in a text what must not leave the machine. */
export type Mask = (text: string) => string;

/**
 * A mask for the values of the parameters whose names end with _TOKEN, _KEY (CERTIFICATE_KEY as well) or _PASSWORD.
 * Of a value of several lines each line is masked, since output comes line by line.
 */
export function maskOf(environment: Record<string, string>): Mask {
  const secrets = Object.entries(environment)
    .filter(([name]) => secretName.test(name))
    .flatMap(([, value]) => value.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line.length >= shortest)
    // The longest first: one secret may be a part of another.
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}
