import cliTruncate from "cli-truncate";
import { createLogUpdate } from "log-update";
import type { Student } from "./roster.ts";

/** Where a command shows what happens to many students at once. */
export interface Screen {
  /** A line that stays. */
  note(text: string): void;
  /** What is being done for a student now. */
  moves(student: Student, text: string): void;
  /** The student moves no more; the text stays. */
  rests(student: Student, text: string): void;
  /** Ends the moving part. */
  close(): void;
}

const labelOf = ({ id, name }: Student) => (name === undefined ? id : `${id} ${name}`);

/** @param counts what stands under the moving lines: how many wait, are done, have failed */
export function screenOn(stream: NodeJS.WriteStream, counts: () => string): Screen {
  return stream.isTTY ? movingScreen(stream, counts) : plainScreen(stream);
}

/** One line for each student that moves, redrawn in its place; what is done goes up and stays. */
function movingScreen(stream: NodeJS.WriteStream, counts: () => string): Screen {
  const update = createLogUpdate(stream);
  const moving = new Map<string, { label: string; text: string; since: number }>();
  const begun = Date.now();
  const draw = () => {
    const width = (stream.columns ?? 80) - 1;
    const room = Math.max(1, (stream.rows ?? 24) - 3);
    const lines = [...moving.values()].map(({ label, text, since }) => cliTruncate(`${clock(since)}  ${label}  ${text}`, width));
    const hidden = lines.length - room;
    update([...lines.slice(0, room), ...(hidden > 0 ? [`… and ${hidden} more`] : []), cliTruncate(`${clock(begun)}  ${counts()}`, width)].join("\n"));
  };
  const timer = setInterval(draw, 1000);
  return {
    note: (text) => update.persist(text),
    moves(student, text) {
      const known = moving.get(student.id);
      moving.set(student.id, { label: labelOf(student), text, since: known?.since ?? Date.now() });
    },
    rests(student, text) {
      moving.delete(student.id);
      update.persist(`${labelOf(student)}  ${text}`);
      draw();
    },
    close() {
      clearInterval(timer);
      update.clear();
      update.done();
    },
  };
}

/** For a log file: a line whenever a student's work comes to another part of the cluster. */
function plainScreen(stream: NodeJS.WriteStream): Screen {
  const last = new Map<string, string>();
  const line = (text: string) => void stream.write(`${text}\n`);
  return {
    note: line,
    moves(student, text) {
      const part = text.split(": ")[0]!;
      if (last.get(student.id) !== part) line(`${labelOf(student)}  ${text}`);
      last.set(student.id, part);
    },
    rests(student, text) {
      last.delete(student.id);
      line(`${labelOf(student)}  ${text}`);
    },
    close: () => {},
  };
}

function clock(since: number): string {
  const seconds = Math.floor((Date.now() - since) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
