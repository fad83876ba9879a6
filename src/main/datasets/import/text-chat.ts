import type { ExportFile, ExportFiles } from '../export-files.ts';
import { lineOf, linesOf, type ReadingOptions } from '../export-text.ts';
import type { ChatFound } from './chat-message.ts';
import { reasons } from './reasons.ts';

/** What a line of a chat's text begins. */
export type ChatLine =
  | { readonly kind: 'message'; readonly sender: string; readonly at: number | null; readonly text: string }
  /** Of the app, with nothing to learn from; such as dates are not even counted. */
  | { readonly kind: 'system'; readonly counted: boolean };

/** Parts of a message's text that are no words, and why they are left out; the rest of it stays. */
export type WithoutMedia = (text: string) => { text: string; reason: string | null };

/** A message of more lines is a document; what is longer is told, and not held in memory. */
const maxMessageCharacters = 1_000_000;

/**
 * The messages of a file in which each begins on a line of its own, and may go on on further ones. `read` gives null for a line
 * that goes on.
 */
export async function* messagesOfLines(
  exported: ExportFiles,
  file: ExportFile,
  read: (line: string) => ChatLine | null,
  options: ReadingOptions & { withoutMedia: WithoutMedia },
): AsyncGenerator<ChatFound> {
  let held: { sender: string; at: number | null; lines: string[]; characters: number; where: string } | null =
    null;
  const end = function* (): Generator<ChatFound> {
    if (!held) return;
    const { sender, at, lines, characters, where } = held;
    held = null;
    if (characters > maxMessageCharacters) {
      yield { kind: 'skipped', reason: reasons.tooLong, where };
      return;
    }
    const { text, reason } = options.withoutMedia(lines.join('\n').trim());
    if (reason) yield { kind: 'skipped', reason, where };
    if (text.trim() !== '') yield { kind: 'message', chat: file.name, sender, name: sender, at, text, where };
  };
  for await (const { text, line } of linesOf(exported, file, options)) {
    const begun = read(text);
    if (!begun) {
      if (!held) continue;
      held.characters += text.length + 1;
      if (held.characters <= maxMessageCharacters) held.lines.push(text);
      continue;
    }
    yield* end();
    const where = lineOf(file, line);
    if (begun.kind === 'message') {
      const { sender, at } = begun;
      held = { sender, at, lines: [begun.text], characters: begun.text.length, where };
    } else if (begun.counted) yield { kind: 'skipped', reason: reasons.system, where };
  }
  yield* end();
}

/** The first lines of a beginning that are whole. */
export function firstLines(text: string, count: number): string[] {
  return text.split(/\r?\n/, count + 1).slice(0, count);
}
