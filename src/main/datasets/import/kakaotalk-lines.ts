import { timeOf, timeSource, writtenDay } from './chat-dates.ts';
import { reasons } from './reasons.ts';
import type { ChatLine } from './text-chat.ts';

const dateSource =
  '(\\d{4}년 ?\\d{1,2}월 ?\\d{1,2}일|\\d{4}\\. ?\\d{1,2}\\. ?\\d{1,2}\\.?|\\d{4}-\\d{1,2}-\\d{1,2}|[A-Za-z]{3,9}\\.? \\d{1,2}, \\d{4}|\\d{1,2} [A-Za-z]{3,9}\\.?,? \\d{4})';

/** PC: `[name] [오후 3:21] text`, below a line with the date. */
const pcLine = new RegExp(`^\\[(.*?)\\] \\[${timeSource}\\](?: (.*))?$`, 'i');
/** Phones: `2024년 1월 2일 오후 3:21, name : text`; of the app `…, text` or `…: text`; alone where a day begins. */
const phoneLine = new RegExp(`^${dateSource},?(?: at)? ${timeSource}(?:,\\s(.*)|:\\s(.*))?$`, 'i');
/** Some iPhones: `오후 3:21, name : text`, below a line with the date. */
const timeLine = new RegExp(`^${timeSource}, (.+)$`, 'i');

const weekday = '(?:[월화수목금토일]요일|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)';
/** With dashes or the day of the week: a date alone may stand in a message, too. */
const dayLine = new RegExp(
  `^(?:-{3,}\\s*(?:${weekday},? )?${dateSource}(?:,? ${weekday})?\\s*-{3,}|${weekday},? ${dateSource}|${dateSource},? ${weekday})$`,
  'i',
);
const dashes = /^-{5,}.*-{5,}$/;

/** What PC writes of the app without a time, between messages. */
const untimed =
  /^.{1,300}(?:님이 (?:들어왔|나갔)습니다\.?|님을 (?:초대|내보)(?:했|냈|하였)습니다\.?|님이 .*님을 초대(?:했|하였)습니다\.?|님을 내보냈습니다\.?| (?:joined|left)(?: this chatroom| the chatroom)?\.| invited .+\.)(?:채팅방으로 초대하기)?$|^채팅방 관리자가 메시지를 가렸습니다\.?$/;

/** Reads lines of KakaoTalk's exports, in their order: some tell the day of those that follow. */
export class KakaoLines {
  #day: number | null = null;

  /** Null: the line goes on with the message above it. */
  read(line: string): ChatLine | null {
    const text = line.replaceAll(/[\u00a0\u202f]/g, ' ').replace(/^\ufeff/, '');
    return this.#dayIn(text) ?? this.#pc(text) ?? this.#phone(text) ?? this.#timed(text) ?? untimedLine(text);
  }

  #dayIn(text: string): ChatLine | null {
    const match = dayLine.exec(text.trim());
    const day = match && writtenDay(match[1] ?? match[2] ?? match[3] ?? '');
    if (day !== null) this.#day = day;
    else if (!dashes.test(text)) return null;
    return { kind: 'system', counted: false };
  }

  #pc(text: string): ChatLine | null {
    const match = pcLine.exec(text);
    const time = match && timeOf(match.slice(2, 7));
    if (!match || time === null) return null;
    const sender = match[1] ?? '';
    if (sender === '') return { kind: 'system', counted: true };
    return { kind: 'message', sender, at: this.#at(time), text: match[7] ?? '' };
  }

  #phone(text: string): ChatLine | null {
    const match = phoneLine.exec(text);
    const day = match && writtenDay(match[1] ?? '');
    const time = match && timeOf(match.slice(2, 7));
    if (!match || day === null || time === null) return null;
    this.#day = day;
    const said = match[7];
    // The time alone, where a day begins.
    if (said === undefined) return { kind: 'system', counted: match[8] !== undefined };
    return this.#said(said, time);
  }

  #timed(text: string): ChatLine | null {
    if (this.#day === null) return null;
    const match = timeLine.exec(text);
    const time = match && timeOf(match.slice(1, 6));
    // Twelve o'clock, and a comma: people write so, too.
    if (!match || time === null || !(match[1] ?? match[5])) return null;
    return this.#said(match[6] ?? '', time);
  }

  /** `name : text`; without it, it is of the app. */
  #said(said: string, time: number): ChatLine {
    const end = said.indexOf(' :');
    const sender = said.slice(0, Math.max(0, end)).trim();
    if (sender === '') return { kind: 'system', counted: true };
    return { kind: 'message', sender, at: this.#at(time), text: said.slice(end + 2).trim() };
  }

  #at(time: number): number | null {
    return this.#day === null ? null : this.#day + time;
  }
}

function untimedLine(text: string): ChatLine | null {
  return untimed.test(text) ? { kind: 'system', counted: true } : null;
}

const deletedPattern = /^\(?(?:삭제된 메시지입니다|This message was deleted|Deleted message)\.?\)?$/i;

/** Words that stand for what the export does not have, as the whole of a message. */
const mediaPattern = new RegExp(
  `^(?:${[
    '사진(?: ?\\d+장)?',
    '동영상',
    '\\(?이모티콘\\)?',
    '음성 ?메시지',
    '음악',
    '지도',
    '투표.{0,3}',
    '(?:파일|연락처|샵검색|위치|지도|선물|프로필|일정|톡게시판|송금)\\s?:.*',
    '(?:보이스톡|페이스톡|라이브톡|그룹콜|보이스룸)(?: .{1,20})?',
    'Photos?',
    '\\d+ photos?',
    'Videos?',
    '\\(?Emoticons?\\)?',
    'Sticker',
    'Voice (?:Note|Message)s?',
    '(?:Voice|Video|Group) Call(?: .{1,20})?',
    'Live Talk(?: .{1,20})?',
    '(?:File|Contact|Location|Profile)\\s?: .*',
    '<[^<>\\n]{2,60}>',
    '[\\w-]{8,}\\.(?:jpe?g|png|gif|mp4|m4a|webp|heic)',
  ].join('|')})$`,
  'i',
);

/** A message's words without what stands for media. */
export function withoutMedia(text: string): { text: string; reason: string | null } {
  if (deletedPattern.test(text)) return { text: '', reason: reasons.deleted };
  if (mediaPattern.test(text)) return { text: '', reason: reasons.media };
  return { text, reason: null };
}
