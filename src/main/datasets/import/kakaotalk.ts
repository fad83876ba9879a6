import { parse } from 'csv-parse/sync';
import type { ExportFile, ExportFiles } from '../export-files.ts';
import { lineOf, linesOf, progressOf, type ReadingOptions } from '../export-text.ts';
import { timeOf, timeSource, writtenDay } from './chat-dates.ts';
import type { ChatFound, ChatKind } from './chat-message.ts';
import { type CsvRecord, csvRecords } from './csv-records.ts';
import { recognised } from './file-importer.ts';
import type { FileStart } from './importer.ts';
import { KakaoLines, withoutMedia } from './kakaotalk-lines.ts';
import { reasons } from './reasons.ts';
import { firstLines, messagesOfLines } from './text-chat.ts';

/** KakaoTalk's exports of a chat: text of PC, Android and iPhone, and CSV of Mac; in Korean or English. */
export const kakaotalk: ChatKind = {
  name: 'kakaotalk',
  recognises,
  async *messages(exported, options) {
    const progress = progressOf(options);
    for (const file of await recognised(exported, recognises)) {
      const reading = { ...options, onProgress: progress.of(file) };
      const first = await firstLine(exported, file, options.signal);
      yield* csvHeader.test(first) ? table(exported, file, reading) : text(exported, file, first, reading);
    }
  },
};

const csvHeader = /^\ufeff?"?Date"?,"?User"?,"?Message"?\s*$/i;
const savedPattern = /^\s*(?:저장한\s*날짜|Date Saved|Saved Date)\s*:/i;

function recognises({ text: start }: FileStart): boolean {
  if (start === null) return false;
  const lines = firstLines(start, 60);
  if (csvHeader.test(lines[0] ?? '')) return true;
  if (lines.slice(0, 4).some((line) => savedPattern.test(line))) return true;
  // Without the header, as where a person has cut it off: by two messages.
  const known = new KakaoLines();
  return lines.filter((line) => known.read(line)?.kind === 'message').length >= 2;
}

async function firstLine(exported: ExportFiles, file: ExportFile, signal?: AbortSignal): Promise<string> {
  for await (const { text: line } of linesOf(exported, file, { signal })) if (line.trim() !== '') return line;
  return '';
}

async function* text(
  exported: ExportFiles,
  file: ExportFile,
  title: string,
  options: ReadingOptions,
): AsyncGenerator<ChatFound> {
  const lines = new KakaoLines();
  const partner = partnerIn(title);
  if (partner !== null) yield { kind: 'partner', chat: file.name, sender: partner };
  let exporter = false;
  const found = messagesOfLines(exported, file, (line) => lines.read(line), { ...options, withoutMedia });
  for await (const one of found) {
    // Android writes "member" for whoever exports.
    if (!exporter && one.kind === 'message' && one.sender === '회원님') {
      exporter = true;
      yield { kind: 'exporter', sender: one.sender };
    }
    yield one;
  }
}

/** Chats of two are called after the other one. */
function partnerIn(title: string): string | null {
  const match =
    /^\ufeff?\s*(.+?)\s*님과(?:의)?\s*카카오톡\s*대화\s*$/.exec(title) ??
    /^\ufeff?\s*KakaoTalk Chats? with\s+(.+?)\s*$/i.exec(title) ??
    /^\ufeff?\s*(.+?) with KakaoTalk Chats?\s*$/i.exec(title);
  return match?.[1] ?? null;
}

/** A message of Mac has no more: it is not what people write. */
const maxRowCharacters = 1_000_000;

/** Mac's rows of date, user and message. */
async function* table(
  exported: ExportFiles,
  file: ExportFile,
  options: ReadingOptions,
): AsyncGenerator<ChatFound> {
  let isHeader = true;
  for await (const row of csvRecords(linesOf(exported, file, options), ',', maxRowCharacters)) {
    if (isHeader) isHeader = false;
    else yield* rowIn(row, file);
  }
}

function* rowIn({ text: written, line, broken }: CsvRecord, file: ExportFile): Generator<ChatFound> {
  const where = lineOf(file, line);
  const cells = broken
    ? []
    : (parse(written, { relax_quotes: true, skip_records_with_error: true })[0] ?? []);
  const [date = '', sender = '', message = ''] = cells;
  const [, ...time] = new RegExp(`\\s${timeSource}$`).exec(date) ?? [];
  const [day, clock] = [writtenDay(date), timeOf(time)];
  if (cells.length < 3 || day === null) {
    yield { kind: 'skipped', reason: reasons.wrongShape, where };
    return;
  }
  if (sender === '') {
    yield { kind: 'skipped', reason: reasons.system, where };
    return;
  }
  const { text: words, reason } = withoutMedia(message.trim());
  if (reason) yield { kind: 'skipped', reason, where };
  if (words === '') return;
  yield {
    kind: 'message',
    chat: file.name,
    sender,
    name: sender,
    at: day + (clock ?? 0),
    text: words,
    where,
  };
}
