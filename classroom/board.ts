import { preparationOf, type ClassSettings } from "./class-file.ts";
import { glance } from "./glance.ts";
import type { Journal } from "./journal.ts";
import type { Student } from "./roster.ts";
import { words } from "./words.ts";
import { pageOf } from "./board/page.ts";
import { publicTextOf } from "./board/public-text.ts";
import { BoardServer, type BoardPlace } from "./board/server.ts";
import { blankTile, tileOf, type Tile } from "./board/tile.ts";
import { Watch } from "./board/watch.ts";

/** The class that a board shows. */
export interface BoardClass {
  readonly klass: ClassSettings;
  readonly students: readonly Student[];
  readonly journal: Journal;
}

/**
 * Serves the board of a class: the facts of `classroom status`, live, without what only the operator is to know. The machines are looked at
 * while a page is open.
 *
 * @throws Error when it cannot be served there
 */
export async function openBoard({ klass, students, journal }: BoardClass, place: BoardPlace): Promise<{ readonly url: string; close(): Promise<void> }> {
  const language = words[klass.language];
  const publicText = publicTextOf(klass, students);
  const tiles = new Map<Student, Tile>(students.map((student) => [student, blankTile(student, language)]));
  const watch = new Watch({
    students,
    glance: (student) => glance(klass, student, journal),
    told: journal,
    prepareTo: preparationOf(klass),
    publish(status, at) {
      const tile = tileOf(status, language, publicText, at);
      tiles.set(status.student, tile);
      server.send("tile", JSON.stringify(tile));
    },
  });
  const server = await BoardServer.open(
    {
      page: pageOf(klass.name, language),
      everything: () => JSON.stringify({ now: Date.now(), tiles: [...tiles.values()] }),
      watched: () => watch.start(),
      unwatched: () => watch.stop(),
    },
    place,
  );
  return {
    url: server.url,
    async close() {
      watch.stop();
      await server.close();
    },
  };
}
