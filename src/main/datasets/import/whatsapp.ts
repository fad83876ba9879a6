import type { ExportFile, ExportFiles } from '../export-files.ts';
import { linesOf, nameOf, progressOf, type ReadingOptions } from '../export-text.ts';
import { dayInOrder, type DateOrder, DateOrders, timeOf, timeSource } from './chat-dates.ts';
import type { ChatFound, ChatKind } from './chat-message.ts';
import { datedLines, StrangeDates } from './date-pattern.ts';
import { recognised } from './file-importer.ts';
import type { FileStart } from './importer.ts';
import { reasons } from './reasons.ts';
import { type ChatLine, firstLines, messagesOfLines } from './text-chat.ts';

/**
 * `[31/12/2023, 21:41:05] Name: text` of iPhones, `12/31/23, 9:41 PM - Name: text` of Android; the date as the phone's language writes
 * it. A direction mark begins lines of the app itself. Dates with hyphens and without a comma are of programs' logs.
 */
const linePattern = new RegExp(
  `^(?:\\[)?(?!\\d{4}-\\d+-\\d+ )(\\d{1,4})[./-]\\s?(\\d{1,2})[./-]\\s?(\\d{1,4})\\.?,?\\s+(?:a las |um |at )?${timeSource}(?:\\]\\s?|\\s[-–]\\s)(.*)$`,
  'i',
);

const marks = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** WhatsApp's exports of a chat: `_chat.txt` of iPhones, in its ZIP archive or alone, and `WhatsApp Chat with ….txt` of Android. */
export const whatsapp: ChatKind = {
  name: 'whatsapp',
  recognises,
  async *messages(exported, options) {
    const progress = progressOf(options);
    for (const file of await recognised(exported, recognises)) {
      yield* chat(exported, file, { ...options, onProgress: progress.of(file) });
    }
  },
};

/** The first line is of the app or a message; further ones may go on. */
function recognises({ text }: FileStart): boolean {
  if (text === null) return false;
  const lines = firstLines(text, 40)
    .map(plain)
    .filter((line) => line.trim() !== '');
  return linePattern.test(lines[0] ?? '') || strangeLines(lines).length > 0;
}

/**
 * A year or three numbers and then a time, a name and what it says: of a chat whose dates nobody here has seen yet. Most lines are so,
 * or it is a text. Logs of programs have hyphens in their dates, and transcripts have no dates.
 */
const strangePattern = new RegExp(
  '^(?!\\W?\\d{4}-\\d{2}-\\d{2}[ T])\\W?' +
    '(?:[^\\n]{0,30}?\\b(?:19|20|25)\\d{2}\\b|[^\\n]{0,12}?\\d{1,4}\\D{1,5}\\d{1,2}\\D{1,5}\\d{1,4})' +
    '[^\\n:]{0,20}?[\\s,]\\d{1,2}[:.h]\\d{2}[^\\n\\]:]{0,16}?(?:\\]| [-–]) [^:\\n]{1,60}: \\S',
);

function strangeLines(lines: readonly string[]): readonly string[] {
  const strange = lines.filter((line) => strangePattern.test(line));
  return strange.length >= 3 && strange.length * 2 > lines.length ? strange : [];
}

async function* chat(
  exported: ExportFiles,
  file: ExportFile,
  options: ReadingOptions,
): AsyncGenerator<ChatFound> {
  const described = options.dates ? readerOf(options.dates) : null;
  // Of several chats, it may be only one whose dates had to be described.
  const isDescribed = described !== null && (await fits(described, exported, file, options.signal));
  const read = isDescribed ? described : await readerFor(exported, file, options.signal);
  const partner = partnerIn(file.name) ?? partnerIn(exported.path);
  if (partner !== null) yield { kind: 'partner', chat: file.name, sender: partner };
  for await (const found of messagesOfLines(exported, file, read, { ...options, withoutMedia })) {
    // The app says "You" only to whoever has exported the chat.
    if (found.kind === 'message' && ownDeletion.test(found.text)) {
      yield { kind: 'exporter', sender: found.sender };
      yield { kind: 'skipped', reason: reasons.deleted, where: found.where };
    } else yield found;
  }
}

const ownDeletion = /^(?:You deleted this message|내가 삭제한 메시지입니다)\.?$/;

/** Reads lines whose dates a person has described. */
function readerOf(dates: string): (line: string) => ChatLine | null {
  const dated = datedLines(dates);
  return (line) => {
    const found = dated(plain(line));
    return found && saidIn(line, found.rest, found.at);
  };
}

/** Whether messages begin as they should, among the first lines. */
async function fits(
  read: (line: string) => ChatLine | null,
  exported: ExportFiles,
  file: ExportFile,
  signal?: AbortSignal,
): Promise<boolean> {
  for await (const { text, line } of linesOf(exported, file, { signal })) {
    if (read(text)) return true;
    if (line > maxLinesBefore) break;
  }
  return false;
}

/** Lines of the app and of a long message may stand before the first one that has a date. */
const maxLinesBefore = 200;

/**
 * Reads lines by the order of the numbers in all of the file's dates; a few thousand lines do not take long. Errors: `invalid-input`
 * (they are no dates in any order).
 */
async function readerFor(
  exported: ExportFiles,
  file: ExportFile,
  signal?: AbortSignal,
): Promise<(line: string) => ChatLine | null> {
  const orders = new DateOrders();
  const first: string[] = [];
  let [count, halves, slashes, korean] = [0, 0, 0, 0];
  for await (const { text } of linesOf(exported, file, { signal })) {
    const line = plain(text);
    if (first.length < maxFirstLines && line.trim() !== '') first.push(line);
    const match = linePattern.exec(line);
    if (!match) continue;
    orders.add(numbersOf(match));
    count++;
    if (match[4] || match[8]) halves++;
    if (/^\[?\d+\//.test(line)) slashes++;
    if (/오전|오후/.test(match[4] ?? '')) korean++;
  }
  // America writes the month first, and has clocks of twelve hours.
  const usual = korean > 0 ? 'ymd' : halves > 0 && slashes > 0 ? 'mdy' : 'dmy';
  const order = orders.order(count, usual);
  if (order === null) throw new StrangeDates(nameOf(exported, file), first);
  return (line) => lineIn(line, order);
}

/** So many are kept, in case that their dates must be shown. */
const maxFirstLines = 3;

function numbersOf(match: RegExpExecArray): [number, number, number] {
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Without marks of direction, and with usual spaces. */
function plain(line: string): string {
  return line.replaceAll(marks, '').replaceAll(/[\u00a0\u202f]/g, ' ');
}

function lineIn(line: string, order: DateOrder): ChatLine | null {
  const match = linePattern.exec(plain(line));
  if (!match) return null;
  const day = dayInOrder(order, numbersOf(match));
  const time = timeOf(match.slice(4, 9));
  return day === null || time === null ? null : saidIn(line, match[9] ?? '', day + time);
}

/** Who says what in a line, after its date. */
function saidIn(line: string, said: string, at: number): ChatLine {
  const [, sender, text] = /^([^:]{1,100}?):(?:\s(.*))?$/.exec(said) ?? [];
  if (sender === undefined || isSystem(sender)) return { kind: 'system', counted: true };
  // Of iPhones, whatever the app says in somebody's name begins with a mark.
  const ofApp = /: \u200e/.test(line) && !isMedia(text ?? '') && !deletedPattern.test(text ?? '');
  if (ofApp || encryption.test(text ?? '')) return { kind: 'system', counted: true };
  return { kind: 'message', sender: sender.replace(/^~\s?/, '').trim(), at, text: text ?? '' };
}

/** A line of the app that has a colon further on, as a new subject may. */
function isSystem(sender: string): boolean {
  return /["“”]| (?:changed|created|added|removed|left|joined) (?:the|this|group|to|using|\S+$)/.test(sender);
}

const encryption = /end-to-end encrypted|종단 간 암호화|종단간 암호화/;
const deletedPattern =
  /^(?:You deleted this message|This message was deleted|내가 삭제한 메시지입니다|삭제된 메시지입니다|이 메시지는 삭제되었습니다|메시지가 삭제되었습니다)\.?$/;

/** A line that stands for what the export does not have; in angle brackets in every language. */
const mediaPattern = new RegExp(
  [
    '^<[^<>\\n]{3,80}>$',
    '(?:^|\\s)(?:image|video|audio|sticker|GIF|document|Contact card|video note) omitted$',
    '(?:^|\\s)(?:사진|이미지|동영상|비디오|오디오|음성 메시지|스티커|GIF|문서|연락처|연락처 카드|미디어 파일)(?:을|를|이|가)? ?(?:생략됨|생략|제외됨|누락됨|생략되었습니다|제외되었습니다)\\.?$',
    '^.{1,200}\\.\\w{2,5} \\((?:file attached|파일 첨부됨|첨부 파일)\\)$',
    '^(?:Missed (?:voice|video|group voice|group video) call|부재중 (?:음성|영상) ?통화).*$',
    '^(?:POLL:|location:|위치:).*$',
    '^null$',
  ].join('|'),
  'i',
);

function isMedia(line: string): boolean {
  return mediaPattern.test(line);
}

function withoutMedia(text: string): { text: string; reason: string | null } {
  const words = plain(text).replaceAll(
    /\s?<(?:This message was edited|이 메시지는 수정되었습니다|수정된 메시지)\.?>$/gim,
    '',
  );
  if (ownDeletion.test(words)) return { text: words, reason: null };
  if (deletedPattern.test(words)) return { text: '', reason: reasons.deleted };
  const lines = words.split('\n');
  const kept = lines.filter((line) => !isMedia(line.trim()));
  return { text: kept.join('\n').trim(), reason: kept.length < lines.length ? reasons.media : null };
}

/** Files of two people's chats are called after the other one. */
function partnerIn(path: string): string | null {
  const name = path.split(/[/\\]/).at(-1) ?? '';
  const match =
    /^WhatsApp Chat (?:with|-) (.+?)\.(?:txt|zip)$/i.exec(name) ??
    /^(.+?)님과(?:의)? WhatsApp 대화\.(?:txt|zip)$/.exec(name);
  return match?.[1] ?? null;
}
