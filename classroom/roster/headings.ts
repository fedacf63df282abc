import { closestTo } from "../../kubeadm/suggestion.ts";
import type { RosterFault } from "../roster.ts";
import type { Row } from "./table.ts";

/** What a column holds. */
export type Field = "student" | "name" | "mail" | "machines" | "internal" | "user" | "port" | "hostkey" | "size" | "vip";

/** Headings that are understood, the first of which is the one that messages name. Letter case, spaces and a number behind it do not matter. */
const headings: Readonly<Record<Field, readonly string[]>> = {
  student: ["student", "id", "학생", "수강생", "학번", "아이디"],
  name: ["name", "fullname", "studentname", "이름", "성명"],
  mail: ["mail", "email", "메일", "이메일"],
  machines: ["machines", "machine", "hosts", "host", "servers", "server", "addresses", "address", "ip", "publicip", "vm", "머신", "장비", "서버", "호스트", "주소", "ip주소", "공인ip"],
  internal: ["internal", "private", "privateip", "internalip", "clusteraddress", "내부주소", "내부ip", "사설ip"],
  user: ["user", "login", "sshuser", "계정", "사용자"],
  port: ["port", "sshport", "포트"],
  hostkey: ["hostkey", "sshhostkey", "fingerprint", "hostkeyfingerprint", "호스트키", "지문", "호스트키지문"],
  size: ["size", "shape", "크기", "구성"],
  vip: ["vip", "가상ip"],
};

const known = new Map(Object.entries(headings).flatMap(([field, names]) => names.map((name) => [name, field as Field] as const)));

/** Columns that may be there several times: machine1, machine2. */
const repeatable: readonly Field[] = ["machines", "internal", "hostkey"];

/** The places of the columns, from 0. */
export type Columns = Readonly<Record<Field, readonly number[]>>;

/** Finds out which column holds what. Columns with other headings (seat, company) are left alone. */
export function columnsOf(heading: Row): { readonly columns: Columns; readonly faults: RosterFault[] } {
  const columns = Object.fromEntries(Object.keys(headings).map((field) => [field, [] as number[]])) as Record<Field, number[]>;
  const faults: RosterFault[] = [];
  const fault = (column: number, reason: string) => faults.push({ line: heading.line, column: column + 1, reason });
  heading.cells.forEach((cell, column) => {
    const plain = cell.normalize("NFKC").toLowerCase().replace(/[\s_\-./()]/g, "").replace(/\d+$/, "");
    const field = known.get(plain);
    if (field === undefined) {
      const meant = plain.length > 3 ? closestTo(plain, [...known.keys()]) : undefined;
      if (meant) fault(column, `the heading ${cell} is not known; did you mean ${meant}?`);
    } else if (columns[field].length > 0 && !repeatable.includes(field)) {
      fault(column, `the heading ${cell} is there twice, as ${heading.cells[columns[field][0]!]} and as ${cell}`);
    } else columns[field].push(column);
  });
  const missing = (["student", "machines"] as const).filter((field) => columns[field].length === 0);
  if (missing.length > 0) {
    const list = missing.map((field) => `${field} (or ${headings[field].filter((name) => /^[가-힣]/.test(name))[0]})`).join(" and ");
    faults.push({ line: heading.line, reason: `the first line must name the columns, and there is none named ${list}. It reads: ${heading.cells.join(" | ")}` });
  }
  return { columns, faults };
}
