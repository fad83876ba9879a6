import type { Attachment } from '../../../shared/contract/index.ts';
import { AttachmentError } from '../../lib/attachments/problem.ts';
import { maxAttachments, readAttachment } from '../../lib/attachments/read.ts';

/** A file of the message that is being written. */
export interface AttachedFile {
  key: number;
  name: string;
  mimeType: string;
  /** Null while it is being read. */
  attachment: Attachment | null;
  /** Its length in tokens; null while that is not known. */
  tokens: number | null;
}

/** The files of a message that is being written, and what went wrong with others. */
export class AttachedFiles {
  files = $state<AttachedFile[]>([]);
  /** Files that could not be attached; one of them each. */
  problems = $state<AttachmentError[]>([]);
  #nextKey = 0;
  readonly #countTokens: (text: string) => Promise<number | null>;

  constructor(countTokens: (text: string) => Promise<number | null>) {
    this.#countTokens = countTokens;
  }

  /** Some file is still being read. */
  get busy(): boolean {
    return this.files.some(({ attachment }) => attachment === null);
  }

  /** Tokens of all files, as far as they are known. */
  get tokens(): number {
    return this.files.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
  }

  /** What is sent. */
  get attachments(): Attachment[] {
    return this.files.flatMap(({ attachment }) => (attachment ? [$state.snapshot(attachment)] : []));
  }

  async add(files: Iterable<File>): Promise<void> {
    this.problems = [];
    const wanted = [...files];
    const room = Math.max(maxAttachments - this.files.length, 0);
    if (wanted.length > room) this.problems.push(new AttachmentError('too-many', { limit: maxAttachments }));
    await Promise.all(wanted.slice(0, room).map((file) => this.#read(file)));
  }

  async #read(file: File): Promise<void> {
    const key = this.#nextKey++;
    this.files.push({ key, name: file.name, mimeType: file.type, attachment: null, tokens: null });
    try {
      const attachment = await readAttachment(file);
      this.#change(key, { attachment, mimeType: attachment.mimeType });
      await this.#count(key, attachment.text);
    } catch (error) {
      this.remove(key);
      this.problems.push(
        error instanceof AttachmentError
          ? error
          : new AttachmentError('unreadable', { name: file.name }, { cause: error }),
      );
    }
  }

  /** Counts what could not be counted when it was attached, because the model was not loaded then. */
  async countRest(): Promise<void> {
    for (const { key, attachment, tokens } of this.files) {
      if (attachment && tokens === null) await this.#count(key, attachment.text);
    }
  }

  async #count(key: number, text: string): Promise<void> {
    this.#change(key, { tokens: await this.#countTokens(text).catch(() => null) });
  }

  #change(key: number, change: Partial<AttachedFile>): void {
    const file = this.files.find((one) => one.key === key);
    if (file) Object.assign(file, change);
  }

  remove(key: number): void {
    this.files = this.files.filter((file) => file.key !== key);
  }

  /** Takes all out, to be given back by `putBack` if sending fails. */
  take(): AttachedFile[] {
    const taken = this.files;
    this.files = [];
    this.problems = [];
    return taken;
  }

  putBack(files: AttachedFile[]): void {
    this.files = [...files, ...this.files];
  }
}
