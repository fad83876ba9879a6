import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../../weights/formats/printable.ts';
import { openExport } from '../export-files.ts';
import { conversationsOf } from './chat-conversations.ts';
import type { ChatKind } from './chat-message.ts';
import { ChatSurvey } from './chat-survey.ts';
import { isFolder, startsIn } from './file-importer.ts';
import type { Importer } from './importer.ts';

/** So many people stand in an error: those who wrote most. */
const maxNamedPeople = 8;

/** An importer of chats between people. It reads an export twice: to see who speaks, and for what they say. */
export function chatImporter(kind: ChatKind): Importer {
  return {
    name: kind.name,
    recognises: (start) =>
      isFolder(start)
        ? (kind.isFolder?.(start.archive?.names ?? []) ?? false)
        : startsIn(start).some((inner) => kind.recognises(inner)),
    async *read(path, options) {
      await using exported = await openExport(path);
      const { signal, dates, onProgress } = options;
      const half = exported.files.reduce((sum, { size }) => sum + size, 0) / 2;
      const survey = await ChatSurvey.of(
        kind.messages(exported, {
          signal,
          dates,
          onProgress: (bytes) => onProgress?.(Math.round(bytes / 2)),
        }),
        signal,
      );
      const me = survey.me(options.me);
      if (me === null) throw unknownMe(path, survey, options.me);
      const messages = kind.messages(exported, {
        signal,
        dates,
        onProgress: (bytes) => onProgress?.(Math.round(half + bytes / 2)),
      });
      yield* conversationsOf(messages, {
        isMe: (sender) => me.has(sender),
        isGroup: (chat) => survey.others(chat, me) > 1,
      });
    },
    async speakers(path, signal, dates) {
      await using exported = await openExport(path);
      const survey = await ChatSurvey.of(kind.messages(exported, { signal, dates }), signal);
      return { people: survey.people(), me: survey.exporter() };
    },
  };
}

function unknownMe(path: string, survey: ChatSurvey, asked: string | null): PunaError {
  const people = survey.people();
  const names = people.slice(0, maxNamedPeople).map(({ name }) => quoted(name));
  const more = people.length > names.length ? ` and ${people.length - names.length} more` : '';
  const who = `${names.join(', ')}${more}`;
  const [first] = names;
  if (first === undefined) {
    return new PunaError('invalid-input', `${path} has no message of anybody.`, 'Export the chat again.');
  }
  const choose = `Say who you are among them, as in --me ${first}: the model learns to write those messages.`;
  return asked === null
    ? new PunaError('invalid-input', `${path} is a chat between people: ${who}.`, choose)
    : new PunaError('invalid-input', `Nobody in ${path} is called ${quoted(asked)}, but ${who}.`, choose);
}
