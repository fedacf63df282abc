/** How many machines of a student do what. */
export interface Shape {
  readonly controlPlanes: 1 | 3;
  readonly workers: number;
}

/** `1+2`: one control plane and two workers. */
export const shapeText = ({ controlPlanes, workers }: Shape): string => `${controlPlanes}+${workers}`;

export const machinesOf = ({ controlPlanes, workers }: Shape): number => controlPlanes + workers;

/** Reads `1`, `1+2` or `3+0`; undefined for anything else. A plain 3 is none of them: it may mean 3+0 or 1+2. */
export function shapeOf(text: string): Shape | undefined {
  const plain = text.replace(/\s/g, "");
  const [, controlPlanes, workers] = /^([13])\+(\d{1,2})$/.exec(plain === "1" ? "1+0" : plain) ?? [];
  return controlPlanes === undefined ? undefined : { controlPlanes: Number(controlPlanes) as 1 | 3, workers: Number(workers) };
}
