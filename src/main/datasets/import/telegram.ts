import { z } from 'zod';
import type { ExportFile } from '../export-files.ts';
import { lineOf, progressOf, valuesOf } from '../export-text.ts';
import type { JsonPath } from '../json-scanner.ts';
import type { ChatFound, ChatKind } from './chat-message.ts';
import { recognised } from './file-importer.ts';
import type { FileStart } from './importer.ts';
import { reasons } from './reasons.ts';

const messageSchema = z.looseObject({
  type: z.string(),
  date: z.string().nullish(),
  date_unixtime: z.string().nullish(),
  from: z.string().nullish(),
  from_id: z.union([z.string(), z.number()]).nullish(),
  forwarded_from: z.string().nullish(),
  via_bot: z.string().nullish(),
  text: z.union([z.string(), z.array(z.union([z.string(), z.looseObject({ text: z.string() })]))]),
});

const ownerSchema = z.looseObject({ user_id: z.union([z.string(), z.number()]) });

/** Telegram's `result.json`, of one chat or of a whole account. */
export const telegram: ChatKind = {
  name: 'telegram',
  recognises,
  async *messages(exported, options) {
    const progress = progressOf(options);
    for (const file of await recognised(exported, recognises)) {
      const values = valuesOf(exported, file, wants, { ...options, onProgress: progress.of(file) });
      const chats = new Chats(file);
      for await (const found of values) {
        const where = lineOf(file, found.line);
        if (found.kind === 'broken') yield { kind: 'skipped', reason: reasons.brokenJson, where };
        else yield* chats.read(found.path, found.value, where);
      }
    }
  },
};

function recognises({ text }: FileStart): boolean {
  if (text === null || !/^\s*\{/.test(text)) return false;
  const ofAccount =
    /"personal_information"\s*:\s*\{\s*"user_id"/.test(text) || /"chats"\s*:\s*\{\s*"about"/.test(text);
  const ofChat =
    /"type"\s*:\s*"(?:personal_chat|bot_chat|saved_messages|replies|(?:private|public)_(?:group|supergroup|channel))"/.test(
      text,
    ) && /"messages"\s*:\s*\[/.test(text);
  return ofAccount || ofChat;
}

/** Of one chat `messages.*`, of an account `chats.list.*.messages.*`; the chat's details stand beside its messages. */
function wants(path: JsonPath): boolean {
  if (path.join() === 'personal_information') return true;
  const ofAccount = ['chats', 'left_chats'].includes(path[0] ?? '') && path[1] === 'list' && path[2] === '*';
  const [key, element, ...rest] = ofAccount ? path.slice(3) : path;
  if (key === 'messages') return element === '*' && rest.length === 0;
  return element === undefined && ['name', 'type', 'id'].includes(key ?? '');
}

/** Knows of which chat a message is: its name, kind and identifier come before its messages. */
class Chats {
  readonly #file: string;
  #count = 0;
  #details = new Map<string, unknown>();
  /** Whether messages of the chat have come, after which other details are of the next chat. */
  #begun = false;

  constructor({ name }: ExportFile) {
    this.#file = name;
  }

  *read(path: JsonPath, value: unknown, where: string): Generator<ChatFound> {
    if (path.at(-2) === 'messages') yield* this.#message(value, where);
    else if (path.join() === 'personal_information') {
      const { data } = ownerSchema.safeParse(value);
      if (data) yield { kind: 'exporter', sender: `user${data.user_id}` };
    } else {
      if (this.#begun) this.#details = new Map();
      this.#begun = false;
      this.#details.set(path.at(-1) ?? '', value);
    }
  }

  *#message(value: unknown, where: string): Generator<ChatFound> {
    if (!this.#begun) {
      this.#begun = true;
      this.#count++;
      if (this.#details.get('type') === 'personal_chat') {
        yield { kind: 'partner', chat: this.#chat(), sender: `user${this.#details.get('id')}` };
      }
    }
    yield message(value, this.#chat(), where);
  }

  #chat(): string {
    return `${this.#file} ${this.#count}`;
  }
}

function message(value: unknown, chat: string, where: string): ChatFound {
  const { data } = messageSchema.safeParse(value);
  if (!data) return { kind: 'skipped', reason: reasons.wrongShape, where };
  const { type, date, date_unixtime: seconds, from, from_id: id, text } = data;
  if (type !== 'message') return { kind: 'skipped', reason: reasons.system, where };
  if (typeof data.forwarded_from === 'string') return { kind: 'skipped', reason: reasons.forwarded, where };
  if (typeof data.via_bot === 'string') return { kind: 'skipped', reason: reasons.bots, where };
  const words =
    typeof text === 'string'
      ? text
      : text.map((part) => (typeof part === 'string' ? part : part.text)).join('');
  if (words.trim() === '') return { kind: 'skipped', reason: reasons.media, where };
  const at = seconds ? Number(seconds) * 1000 : Date.parse(`${date ?? ''}Z`);
  // An account that was deleted has an identifier, and no name.
  const name = from ?? 'Deleted Account';
  return {
    ...{ kind: 'message', chat, sender: senderOf(id) ?? name, name },
    ...{ at: Number.isFinite(at) ? at : null, text: words, where },
  };
}

/** Exports of before 2021 have numbers. */
function senderOf(id: string | number | null | undefined): string | null {
  if (id === null || id === undefined) return null;
  return typeof id === 'number' ? `user${id}` : id;
}
