import fc from "fast-check";
import iconv from "iconv-lite";
import { describe, expect, test } from "vitest";
import { parseClass, settingsOf } from "../../../classroom/class-file.ts";
import { readRoster, type RosterRules } from "../../../classroom/roster.ts";
import { inRosterWords } from "../../../classroom/roster-words.ts";

const read = (text: string, rules?: RosterRules) => readRoster(new TextEncoder().encode(text), rules);
const reasons = (text: string, rules?: RosterRules) => read(text, rules).faults.map(({ line, column, reason }) => `${line}${column ? `:${column}` : ""} ${reason}`);

/** Three students as Excel writes them. */
const lines = ["student;name;mail;machines", "s01;홍길동;gil@example.com;192.0.2.11", "s02;펲시;;192.0.2.12:2222", "s03;;;ops@vm3.example.com"];
const students = [
  { id: "s01", name: "홍길동", mail: "gil@example.com", machines: [{ host: "192.0.2.11" }], line: 2 },
  { id: "s02", name: "펲시", machines: [{ host: "192.0.2.12", port: 2222 }], line: 3 },
  { id: "s03", machines: [{ host: "vm3.example.com", user: "ops" }], line: 4 },
];

describe("a roster is read as a spreadsheet writes it", () => {
  const text = lines.join("\r\n");
  test.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16, Excel's Unicode Text", iconv.encode(text, "utf-16le", { addBOM: true })],
    ["UTF-16 of the other order", iconv.encode(text, "utf-16be", { addBOM: true })],
    ["UTF-16 without a mark", iconv.encode(text, "utf-16le", { addBOM: false })],
    ["CP949, Excel on Korean Windows, also letters that EUC-KR has not", iconv.encode(text, "cp949")],
  ])("%s", (_name, bytes) => {
    expect(readRoster(bytes)).toEqual({ students, faults: [] });
  });

  test.each([
    ["commas", text.replaceAll(";", ",")],
    ["tabs", text.replaceAll(";", "\t")],
    ["line breaks of Linux", lines.join("\n")],
    ["line breaks of an old Mac", lines.join("\r")],
    ["quotes around every cell", lines.map((line) => line.split(";").map((cell) => `"${cell}"`).join(";")).join("\r\n")],
    ["empty cells behind", lines.map((line) => `${line};;;`).join("\r\n")],
    ["Hangul in parts, as a Mac writes it", text.normalize("NFD")],
    ["wide digits and letters of an input method", text.replace("192.0.2.11", "１９２．０．２．１１").replace("s01", "ｓ０１")],
    ["Korean headings", text.replace("student;name;mail;machines", "학생;이름;이메일;서버")],
  ])("%s", (_name, bytes) => {
    expect(read(bytes)).toEqual({ students, faults: [] });
  });

  test("empty lines and Excel's sep= line are passed over, and lines are counted all the same", () => {
    expect(read(`sep=;\r\n\r\n${text}\r\n;;;\r\n\r\n`)).toEqual({ students: students.map((student) => ({ ...student, line: student.line + 2 })), faults: [] });
  });

  test("several machines stand in one cell or in columns with numbers, with their addresses inside the cluster", () => {
    const wanted = [{ host: "192.0.2.11", clusterAddress: "10.0.0.11" }, { host: "192.0.2.12", clusterAddress: "10.0.0.12" }];
    expect(read('student,machines,internal\ns01,"192.0.2.11\n192.0.2.12",10.0.0.11 10.0.0.12').students[0]!.machines).toEqual(wanted);
    expect(read("student,IP 1,private 1,IP 2,private 2\ns01,192.0.2.11,10.0.0.11,192.0.2.12,10.0.0.12").students[0]!.machines).toEqual(wanted);
  });

  test("user, port, size and floating address are a line's own", () => {
    expect(read("student,machines,user,port,size,vip\ns01,192.0.2.11 root@192.0.2.12 192.0.2.13:22,ops,2222,3+0,192.0.2.10\ns02,192.0.2.21,,,,")).toEqual({
      students: [
        {
          id: "s01",
          machines: [
            { host: "192.0.2.11", port: 2222, user: "ops" },
            { host: "192.0.2.12", port: 2222, user: "root" },
            { host: "192.0.2.13", port: 22, user: "ops" },
          ],
          size: { controlPlanes: 3, workers: 0 },
          vip: "192.0.2.10",
          line: 2,
        },
        { id: "s02", machines: [{ host: "192.0.2.21" }], line: 3 },
      ],
      faults: [],
    });
  });

  test("IPv6 addresses, with and without a port", () => {
    expect(read("student,machines\ns01,2001:db8::11\ns02,[2001:db8::11]:2222").students.map(({ machines }) => machines)).toEqual([
      [{ host: "2001:db8::11" }],
      [{ host: "2001:db8::11", port: 2222 }],
    ]);
  });

  test("whatever the delimiter, encoding and line breaks are, what was written is read", () => {
    const hangul = fc.string({ unit: fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCodePoint(code)), minLength: 1, maxLength: 4 });
    const quoted = (cell: string) => `"${cell}"`;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 254 }), hangul), { selector: ([number]) => number, minLength: 1, maxLength: 60 }),
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.constantFrom("utf-8", "utf-8 with BOM", "utf-16le", "utf-16be", "cp949"),
        fc.boolean(),
        (class_, delimiter, lineBreak, encoding, quotes) => {
          // A single syllable of CP949 may be UTF-8 by chance; the heading makes sure that the file is not.
          const cells = [["student", "이름", "machines"], ...class_.map(([number, name]) => [`s${number}`, name, `10.1.2.${number}`])];
          const table = cells.map((row) => row.map(quotes ? quoted : String).join(delimiter)).join(lineBreak);
          const bytes = iconv.encode(table, encoding.replace(" with BOM", ""), { addBOM: encoding !== "utf-8" && encoding !== "cp949" });
          expect(readRoster(bytes)).toEqual({
            students: class_.map(([number, name], index) => ({ id: `s${number}`, name, machines: [{ host: `10.1.2.${number}` }], line: index + 2 })),
            faults: [],
          });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("everything wrong with a roster is told at once, each with its line", () => {
  test("all kinds in one file", () => {
    const found = reasons(
      [
        "student,name,mail,machines,internal,size",
        "s01,Kim,kim@example.com,192.0.2.11,,",
        "S02,Lee,lee@example,192.0.2.12,,",
        ",Park,,192.0.2.13,,",
        "s01,Choi,,192.0.2.14,,",
        "s05,Jung,jung,192.0.2.11,,",
        "s06,Han,,,,",
        "s07,Yoon,,192.0.2.300,,",
        "s08,Shin,,192.0.2.18 192.0.2.19,,",
        "s09,Kwon,,192.0.2.20:99999,,",
        "s10,Oh,,192.0.2.21,10.0.0,",
        "s11,Seo,,192.0.2.22,,3",
        "홍길동,홍길동,,192.0.2.23,,",
        "12,Bae,,192.0.2.24,,",
      ].join("\n"),
    );
    expect(found).toEqual([
      "3:1 S02 cannot be a student's id: it must be a DNS label (lower-case letters, digits and hyphens, a letter first, no hyphen last, at most 32). Next: write s02",
      "4:1 names no student. Next: write an id, as s03, or remove the line",
      "5:1 s01 is on line 2 already. Next: write all machines of a student on one line, or another id, as s04",
      "6:3 jung is no mail address",
      "6:4 192.0.2.11 is s01's already (line 2); each machine belongs to one student",
      "7:4 names no machine",
      "8:4 192.0.2.300 is no machine: it must be an IP address or a DNS name, or user@address:port",
      "9:4 names 2 machines, and most students have 1",
      '10:4 192.0.2.20:99999: "99999" is no port: it must be 1 to 65535',
      "11:5 10.0.0 is no address inside a cluster: it must be an IPv4 address, as 10.0.0.11",
      "12:6 3 is no size: write 1, or control planes + workers, as 1+2 or 3+0",
      "13:1 홍길동 cannot be a student's id: it must be a DNS label (lower-case letters, digits and hyphens, a letter first, no hyphen last, at most 32). Next: write s12",
      "14:1 12 is a number, which programs take for an address; a student's id needs a letter first. Next: write s13",
    ]);
  });

  test("machines are counted against the class's shape or the line's own size", () => {
    expect(reasons("student,machines,size\ns01,a b c,\ns02,a2 b2,\ns03,a3,1\ns04,a4 b4 c4,1", { shape: { controlPlanes: 1, workers: 2 } })).toEqual([
      "3:2 names 2 machines, and the class's shape 1+2 needs 3",
      "5:2 names 3 machines, and its size 1+0 needs 1",
    ]);
  });

  test("the same machine is one with or without the usual port, and another one with another port", () => {
    expect(reasons("student,machines\ns01,VM1\ns02,vm1:2200\ns03,vm1:22\ns04,vm4 vm4", { port: 2200 })).toEqual([
      "3:2 vm1 is s01's already (line 2); each machine belongs to one student",
      "5:2 names 2 machines, and most students have 1",
      "5:2 vm4 is twice on this line; each machine belongs to one student",
    ]);
  });

  test("as many addresses inside the cluster as machines", () => {
    expect(reasons("student,machines,internal\ns01,a b,10.0.0.1")).toEqual(["2:3 names 1 address for 2 machines: write one for each machine, in the same order"]);
  });

  test("a wrong heading", () => {
    expect(reasons("student,machnies\ns01,vm1")).toEqual([
      "1 the first line must name the columns, and there is none named machines (or 머신). It reads: student | machnies",
      "1:2 the heading machnies is not known; did you mean machines?",
    ]);
    expect(reasons("s01;192.0.2.11")).toEqual([
      "1 the first line must name the columns, and there is none named student (or 학생) and machines (or 머신). It reads: s01 | 192.0.2.11",
    ]);
    expect(reasons("student,id,machines\nKim,s01,vm1")).toEqual(["1:2 the heading id is there twice, as student and as id"]);
  });

  test("nobody in it", () => {
    expect(reasons("")).toEqual(["1 the roster is empty"]);
    expect(reasons("\nstudent,machines\n\n")).toEqual(["2 the roster names no student"]);
  });

  test("letters that no encoding explains, and those that were lost before", () => {
    const cp1252 = iconv.encode("student,name,machines\ns01,Zoé,vm1\ns02,André,vm2\n", "win1252");
    expect(readRoster(cp1252).faults.map(({ line }) => line)).toEqual([2, 3]);
    expect(readRoster(cp1252).faults[0]!.reason).toBe(
      'holds letters that are neither UTF-8 nor CP949: "s01,Zo\ufffd,vm1". Next: in the spreadsheet, save it as "CSV UTF-8" (Excel: File, Save As)',
    );
    expect(reasons("student,name,machines\ns01,\ufffd\ufffd,vm1")).toEqual([
      '2 holds letters that were lost when the file was saved in another encoding: "s01,\ufffd\ufffd,vm1". Next: in the spreadsheet, save it as "CSV UTF-8" (Excel: File, Save As)',
    ]);
  });

  test("a workbook in place of an export", () => {
    expect(readRoster(Buffer.from("504b030414000600", "hex")).faults).toEqual([
      { line: 1, reason: 'is an Excel or OpenDocument workbook, not a CSV file. Next: in the spreadsheet, save it as "CSV UTF-8" (Excel: File, Save As)' },
    ]);
  });

  test("a quotation mark that is never closed", () => {
    expect(reasons('student,machines\ns01,vm1\ns02,"vm2\ns03,vm3')).toEqual(['3 a quotation mark (") is opened and never closed: all lines from here on would be one cell']);
  });

  test("two students with one machine, wherever they stand, are told on the later line with the earlier one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), fc.nat(), fc.nat(), (size, a, b) => {
        const [one, other] = [a % size, b % size];
        fc.pre(one !== other);
        const hosts = Array.from({ length: size }, (_, i) => `10.0.0.${i + 1}`);
        hosts[other] = hosts[one]!;
        const [first, second] = [Math.min(one, other), Math.max(one, other)];
        expect(reasons(["student,machines", ...hosts.map((host, i) => `s${i},${host}`)].join("\n"))).toEqual([
          `${second + 2}:2 10.0.0.${one + 1} is s${first}'s already (line ${first + 2}); each machine belongs to one student`,
        ]);
      }),
    );
  });

  test("no bytes at all make it fail, and every fault has a line of the file", () => {
    const csv = fc.string({ unit: fc.constantFrom(..."student,machines;\"'\n\r\t@:[]s01vm홍길동\ufeff\0é "), maxLength: 200 }).map((text) => new Uint8Array(Buffer.from(text)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), csv), (bytes) => {
        const { students, faults } = readRoster(bytes);
        expect(students.length + faults.length).toBeGreaterThan(0);
        for (const { line, column = 1, reason } of faults) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(bytes.length + 1);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(reason).not.toBe("");
        }
        const ids = students.map(({ id }) => id);
        if (faults.length === 0) expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 2000 },
    );
  });
});

test("two students with one floating address are told, with the line of the first", () => {
  const { faults } = read("student,machines,vip\ns01,192.0.2.11,192.0.2.10\ns02,192.0.2.21,192.0.2.10");
  expect(faults).toEqual([{ line: 3, column: 3, reason: "192.0.2.10 is s01's already (line 2); each cluster needs an address of its own" }]);
});

describe("the id that is suggested", () => {
  const suggestion = (id: string, others: string[] = []) =>
    read(["student,machines", `${id},vm0`, ...others.map((other, i) => `${other},vm${i + 1}`)].join("\n")).faults.find(({ line }) => line === 2)?.reason.match(/Next: write (\S+)$/)?.[1];

  test.each([
    ["Kim Min-Su", "kim-min-su"],
    ["Zoé", "zoe"],
    ["s_07", "s-07"],
    ["-s07-", "s07"],
    ["7", "s07"],
    ["홍길동", "s01"],
    ["김Kim", "kim"],
    ["a".repeat(40), "a".repeat(32)],
  ])("for %s is %s", (id, wanted) => expect(suggestion(id)).toBe(wanted));

  test("is nobody else's", () => {
    expect(suggestion("S01", ["s01", "s02"])).toBe("s03");
    expect(suggestion("홍길동", ["s01"])).toBe("s02");
  });
});

describe("a host key in the roster", () => {
  const print = `SHA256:${"A".repeat(43)}`;
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfh";
  const rosterWith = (heading: string, ...lines: string[]) => readRoster(Buffer.from([heading, ...lines].join("\n")));

  test.each([
    ["a fingerprint", "student;ip;host key", `s01;192.0.2.1;${print}`, [print]],
    ["a key of two words", "학생;ip;호스트 키", `s01;192.0.2.1;${key}`, [key]],
    ["none", "student;ip;fingerprint", "s01;192.0.2.1;", [undefined]],
    ["each machine's, and - for one that needs none", "student;ip;hostkey", `s01;192.0.2.1 192.0.2.2 192.0.2.3;- ${key} ${print}`, [undefined, key, print]],
    ["in columns with numbers", "student;ip1;hostkey1;ip2;hostkey2", `s01;192.0.2.1;-;192.0.2.2;${print}`, [undefined, print]],
  ])("is read: %s", (_, heading, line, keys) => {
    const { students, faults } = rosterWith(heading, line);
    expect(faults).toEqual([]);
    expect(students[0]!.machines.map(({ hostKey }) => hostKey)).toEqual(keys);
  });

  test("is refused with its place when it is none, and when there are not as many as machines", () => {
    const { faults } = rosterWith("student;ip;hostkey", "s01;192.0.2.1;SHA256:short", `s02;192.0.2.2 192.0.2.3;${print}`, `s03;192.0.2.4 192.0.2.5;${key} root@vm`);
    expect(faults).toEqual([
      { line: 2, column: 3, reason: expect.stringMatching(/^SHA256:short is no host key: it must be a fingerprint, as SHA256:/) },
      { line: 3, column: 3, reason: expect.stringMatching(/^names 1 host key for 2 machines: .* or - for one that needs none$/) },
      { line: 4, column: 3, reason: expect.stringMatching(/^root@vm is no host key/) },
    ]);
  });

  test("goes into the settings of the student's cluster", () => {
    const { students } = rosterWith("student;ip;hostkey", `s01;192.0.2.1;${print}`);
    expect(settingsOf(parseClass("name: cka", "class.yaml").klass!, students[0]!).controlPlanes).toEqual([{ name: "s01", host: "192.0.2.1", hostKey: print }]);
  });

  test("is what a message names that asks for one", () => {
    const shown = `ssh-ed25519 ${Buffer.from("key").toString("base64")}`;
    const said = `compare it, and set hostKey of s07 to "${shown}"; if it was not, another machine answers in its place`;
    expect(inRosterWords(said, { line: 8 })).toMatch(/^compare it, and write SHA256:\S{43} into the column hostkey of the roster, line 8; if it was not/);
  });
});
