import type { Draft } from '../draft.ts';

/** The beginning of a file, by which importers recognise theirs. Names of files are hints only where content cannot tell. */
export interface FileStart {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Decoded, with the last line cut where the beginning ends in it; null where it is not text. */
  readonly text: string | null;
  /** What is in it, where it is a ZIP archive or a folder. */
  readonly archive?: ArchiveStart | null;
}

/** What importers recognise an archive by. */
export interface ArchiveStart {
  /** Of all files in it. */
  readonly names: readonly string[];
  /** The beginnings of the texts in it that stand least deep, a few of them. */
  readonly files: readonly FileStart[];
}

/** Somebody who speaks in a chat between people. */
export interface Person {
  readonly name: string;
  readonly messages: number;
}

/** Who speaks in a chat between people. */
export interface Speakers {
  /** Most messages first. */
  readonly people: readonly Person[];
  /** Whoever exported it; null: that cannot be told. */
  readonly me: string | null;
}

/** Which columns of a table are what. Absent ones are not there. */
export interface ColumnMapping {
  readonly prompt?: string | undefined;
  readonly reply?: string | undefined;
  readonly system?: string | undefined;
  readonly text?: string | undefined;
}

export interface ImportOptions {
  readonly signal?: AbortSignal;
  /** Whose messages become the assistant's turns, in chats between people; null: whoever exported it, as far as that can be told. */
  readonly me: string | null;
  /** Null: by the names that columns usually have. */
  readonly columns: ColumnMapping | null;
  /** How a chat's dates are written, for those that are not known: as `datedLines` reads it. */
  readonly dates?: string | null;
  /** Called now and then with the bytes of the file that have been read. */
  readonly onProgress?: (bytes: number) => void;
}

/** What an importer finds, in the order of the file. What was left out is told with a fixed phrase, which is counted. */
export type Found =
  | { readonly kind: 'draft'; readonly draft: Draft; readonly where: string }
  | { readonly kind: 'skipped'; readonly reason: string; readonly where: string };

/** One kind of export or document. */
export interface Importer {
  /** As reports and settings name it, such as `whatsapp`. */
  readonly name: string;
  recognises(start: FileStart): boolean;
  /**
   * Reads a file as a stream, in memory that does not grow with it. What is broken in the middle is left out and told. Errors: `invalid-input`
   * where nothing of the file can be read (each with what to do), and `file-missing`.
   */
  read(path: string, options: ImportOptions): AsyncIterable<Found>;
  /** Of chats between people. */
  speakers?(path: string, signal?: AbortSignal, dates?: string | null): Promise<Speakers>;
  /** Of tables: the names of the columns that there are, as a mapping may have them. Errors: `invalid-input`. */
  columns?(path: string, signal?: AbortSignal): Promise<readonly string[]>;
}
