import type { ExportFiles } from '../export-files.ts';
import type { ReadingOptions } from '../export-text.ts';
import type { FileStart } from './importer.ts';

/** What a chat between people has, in its order. */
export type ChatFound =
  | ({ readonly kind: 'message' } & ChatMessage)
  | { readonly kind: 'skipped'; readonly reason: string; readonly where: string }
  /** Who has exported it. */
  | { readonly kind: 'exporter'; readonly sender: string }
  /** With whom a chat is that bears the other's name. */
  | { readonly kind: 'partner'; readonly chat: string; readonly sender: string };

export interface ChatMessage {
  /** What tells chats apart that stand in one export. */
  readonly chat: string;
  /** Who wrote it, by what stays the same in the export: an identifier, or the name. */
  readonly sender: string;
  /** As people read it. */
  readonly name: string;
  /** Milliseconds, of any clock that all messages of a chat share; null where it is not told. */
  readonly at: number | null;
  readonly text: string;
  readonly where: string;
}

/** One kind of chats between people. */
export interface ChatKind {
  readonly name: string;
  recognises(start: FileStart): boolean;
  /** Whether a folder with files of these names is one export, rather than one of files that each stand for themselves. */
  isFolder?(names: readonly string[]): boolean;
  /** The messages of an export, chat after chat. It is read twice. Errors: `invalid-input`. */
  messages(exported: ExportFiles, options: ReadingOptions): AsyncIterable<ChatFound>;
}
