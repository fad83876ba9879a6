import { z } from 'zod';
import { lineOf, progressOf, valuesOf } from '../export-text.ts';
import type { JsonPath } from '../json-scanner.ts';
import type { ChatFound, ChatKind } from './chat-message.ts';
import { recognised } from './file-importer.ts';
import type { FileStart } from './importer.ts';
import { reasons } from './reasons.ts';

const messageSchema = z.looseObject({
  type: z.string(),
  timestamp: z.string().nullish(),
  content: z.string(),
  author: z.looseObject({
    id: z.string(),
    name: z.string(),
    nickname: z.string().nullish(),
    isBot: z.boolean().nullish(),
  }),
});
type Message = z.infer<typeof messageSchema>;

const channelSchema = z.looseObject({ type: z.string(), name: z.string() });

/** What people write themselves; the others tell of members, calls and pins. */
const written = new Set(['Default', 'Reply', '0', '19']);

/** The JSON of DiscordChatExporter: a channel or a direct chat, a file each. */
export const discord: ChatKind = {
  name: 'discord',
  recognises,
  async *messages(exported, options) {
    const progress = progressOf(options);
    for (const file of await recognised(exported, recognises)) {
      let partner: string | null = null;
      for await (const found of valuesOf(exported, file, wants, {
        ...options,
        onProgress: progress.of(file),
      })) {
        const where = lineOf(file, found.line);
        if (found.kind === 'broken') yield { kind: 'skipped', reason: reasons.brokenJson, where };
        else if (found.path[0] === 'channel') partner = partnerOf(found.value);
        else {
          const { data } = messageSchema.safeParse(found.value);
          if (data && partner !== null && namesOf(data).includes(partner)) {
            yield { kind: 'partner', chat: file.name, sender: data.author.id };
            partner = null;
          }
          yield data
            ? message(data, file.name, where)
            : { kind: 'skipped', reason: reasons.wrongShape, where };
        }
      }
    }
  },
};

function recognises({ text }: FileStart): boolean {
  if (text === null || !/^\s*\{/.test(text)) return false;
  return (
    /"guild"\s*:\s*\{/.test(text) &&
    /"channel"\s*:\s*\{/.test(text) &&
    /"(?:exportedAt|dateRange|messages)"\s*:/.test(text)
  );
}

function wants(path: JsonPath): boolean {
  return path.join() === 'channel' || path.join() === 'messages,*';
}

/** A direct chat is called as the other is. */
function partnerOf(value: unknown): string | null {
  const { data } = channelSchema.safeParse(value);
  return data && /^Direct(?:Text)?Chat$/.test(data.type) ? data.name : null;
}

function namesOf({ author }: Message): string[] {
  return [author.name, author.nickname ?? author.name];
}

function message({ type, timestamp, content, author }: Message, chat: string, where: string): ChatFound {
  if (!written.has(type)) return { kind: 'skipped', reason: reasons.system, where };
  if (author.isBot) return { kind: 'skipped', reason: reasons.bots, where };
  // Pictures, stickers and previews of links stand beside the text.
  if (content.trim() === '') return { kind: 'skipped', reason: reasons.media, where };
  const at = Date.parse(timestamp ?? '');
  return {
    ...{ kind: 'message', chat, sender: author.id, name: author.nickname ?? author.name },
    ...{ at: Number.isFinite(at) ? at : null, text: content, where },
  };
}
