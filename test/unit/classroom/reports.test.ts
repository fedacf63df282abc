import { describe, expect, test } from "vitest";
import { parallelStudents } from "../../../classroom/parallelism.ts";
import { screenOn } from "../../../classroom/screen.ts";
import { tableText } from "../../../classroom/table.ts";

const student = { id: "s07", name: "홍길동", machines: [{ host: "192.0.2.107" }], line: 8 };

describe("how many students at the same time", () => {
  const gigabyte = 2 ** 30;
  test("as many as have memory", () => {
    expect(parallelStudents({ freeMemory: 4 * gigabyte, processors: 8 })).toEqual({ students: 7, reason: expect.stringMatching(/^4096 MB of memory are free and one takes \d+$/) });
  });
  test("no more than the processors can start", () => {
    expect(parallelStudents({ freeMemory: 64 * gigabyte, processors: 2 }).students).toBe(16);
  });
  test("one at least", () => {
    expect(parallelStudents({ freeMemory: 0, processors: 1 }).students).toBe(1);
  });
});

describe("what is shown", () => {
  test("a table in which Hangul takes two columns", () => {
    expect(tableText(["student", "name", "cluster"], [["s01", "홍길동", "ready"], ["s02", "Kim", "NOT READY"]])).toBe(
      ["student  name    cluster", "s01      홍길동  ready", "s02      Kim     NOT READY"].join("\n"),
    );
  });

  test("where there is no terminal, a line for each part of the work and no more", () => {
    const written: string[] = [];
    const screen = screenOn({ isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream, () => "");
    for (const text of ["kernel", "kernel: sysctl", "container-runtime", "container-runtime: downloading, 1 s", "container-runtime: downloading, 2 s"]) screen.moves(student, text);
    screen.rests(student, "ready after 1:02");
    expect(written).toEqual(["s07 홍길동  kernel\n", "s07 홍길동  container-runtime\n", "s07 홍길동  ready after 1:02\n"]);
  });

  test("on a terminal, one line for each student that moves, cut to its width", () => {
    const written: string[] = [];
    const stream = { isTTY: true, columns: 30, rows: 24, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const screen = screenOn(stream, () => "1 running");
    screen.moves(student, "container-runtime: installing containerd.io from the mirror");
    screen.rests({ ...student, id: "s08" }, "ready after 1:02");
    screen.close();
    const text = written.join("");
    expect(text).toContain("s08 홍길동  ready after 1:02");
    expect(text).toMatch(/0:00 {2}s07 홍길동 {2}container-…/);
    expect(text).toContain("0:00  1 running");
  });
});
