import { z } from 'zod';
import type { ExportFile, ExportFiles } from '../export-files.ts';
import { lineOf, progressOf, type ReadingOptions, valuesOf } from '../export-text.ts';
import type { JsonPath } from '../json-scanner.ts';
import type { ChatFound, ChatKind } from './chat-message.ts';
import type { FileStart } from './importer.ts';
import { reasons } from './reasons.ts';

const namesShape = { real_name: z.string().nullish(), name: z.string().nullish() };
const profileSchema = z.looseObject({ ...namesShape, display_name: z.string().nullish() });
const userSchema = z.looseObject({ id: z.string(), ...namesShape, profile: profileSchema.nullish() });

const messageSchema = z.looseObject({
  type: z.string(),
  subtype: z.string().nullish(),
  user: z.string().nullish(),
  bot_id: z.string().nullish(),
  text: z.string().nullish(),
  ts: z.string(),
  user_profile: profileSchema.nullish(),
});

/** Messages of people that have a subtype; the others tell of channels, members and apps. */
const written = new Set(['thread_broadcast', 'me_message', 'file_share', 'reply_broadcast']);

/** Slack's export, as a ZIP archive or folder: a folder for each channel, a file for each day; or a single day. */
export const slack: ChatKind = {
  name: 'slack',
  recognises: isDay,
  isFolder: (names) =>
    names.includes('users.json') && names.some((name) => /^[^/]+\/\d{4}-\d{2}-\d{2}\.json$/.test(name)),
  async *messages(exported, options) {
    const names = await userNames(exported, options);
    const progress = progressOf(options);
    for (const file of exported.files) {
      if (file.name !== '' && !dayPattern.test(file.name)) continue;
      const chat = file.name.replace(dayPattern, '');
      const values = valuesOf(exported, file, wantsElements, { ...options, onProgress: progress.of(file) });
      for await (const found of values) {
        const where = lineOf(file, found.line);
        if (found.kind === 'broken') yield { kind: 'skipped', reason: reasons.brokenJson, where };
        else yield message(found.value, { chat, where, names });
      }
    }
  },
};

const dayPattern = /\/\d{4}-\d{2}-\d{2}\.json$/;

function isDay({ text }: FileStart): boolean {
  if (text === null || !/^\s*\[\s*\{/.test(text)) return false;
  return /"ts"\s*:\s*"\d{9,}\.\d+"/.test(text) && /"type"\s*:\s*"message"/.test(text);
}

function wantsElements(path: JsonPath): boolean {
  return path.join() === '*';
}

/** By identifier, of the archive's list of members. */
async function userNames(
  exported: ExportFiles,
  options: ReadingOptions,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const file of exported.files.filter(isUserList)) {
    const values = valuesOf(exported, file, wantsElements, { signal: options.signal });
    for await (const found of values) {
      const { data } = userSchema.safeParse(found.kind === 'value' ? found.value : null);
      if (data) names.set(data.id, nameOf({ ...data, ...data.profile }) ?? nameOf(data) ?? data.id);
    }
  }
  return names;
}

function isUserList({ name }: ExportFile): boolean {
  return /(?:^|\/)users\.json$/.test(name);
}

function nameOf({
  display_name: shown,
  real_name: real,
  name,
}: z.infer<typeof profileSchema>): string | null {
  return [shown, real, name].find((one) => one) ?? null;
}

function message(
  value: unknown,
  { chat, where, names }: { chat: string; where: string; names: ReadonlyMap<string, string> },
): ChatFound {
  const { data } = messageSchema.safeParse(value);
  if (!data) return { kind: 'skipped', reason: reasons.wrongShape, where };
  const { type, subtype, user, bot_id: bot, text, ts } = data;
  if (bot || subtype === 'bot_message') return { kind: 'skipped', reason: reasons.bots, where };
  if (subtype === 'tombstone') return { kind: 'skipped', reason: reasons.deleted, where };
  if (type !== 'message' || !user || (subtype && !written.has(subtype))) {
    return { kind: 'skipped', reason: reasons.system, where };
  }
  const words = plain(text ?? '', names);
  if (words.trim() === '') return { kind: 'skipped', reason: reasons.media, where };
  const name = names.get(user) ?? nameOf(data.user_profile ?? {}) ?? user;
  const at = Number(ts) * 1000;
  return {
    kind: 'message',
    chat,
    sender: user,
    name,
    at: Number.isFinite(at) ? at : null,
    text: words,
    where,
  };
}

/** Slack's marks as people read them: members, channels and links stand in angle brackets, which are escaped elsewhere. */
function plain(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replaceAll(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, target: string, label: string | undefined) => {
      if (target.startsWith('@')) return `@${label || (names.get(target.slice(1)) ?? target.slice(1))}`;
      if (target.startsWith('#')) return `#${label || target.slice(1)}`;
      if (target.startsWith('!')) return label || `@${target.slice(1).replace(/^subteam\^/, '')}`;
      return label && label !== target ? label : target;
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
