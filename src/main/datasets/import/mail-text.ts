/** How programs introduce a message that they quote, with its date, up to the end of its line. Each may go over several lines. */
const introductions = [
  // Gmail, Apple Mail, Thunderbird.
  /^On\s(?=[^\n]*\d)[^\n]*(?:\n(?!>)[^\n]+){0,2}?\swrote:$/m,
  /^Am\s(?=[^\n]*\d)[^\n]*(?:\n(?!>)[^\n]+){0,2}?\sschrieb[^\n]{0,100}:$/m,
  /^Le\s(?=[^\n]*\d)[^\n]*(?:\n(?!>)[^\n]+){0,2}?\sa écrit\s?:$/m,
  /^El\s(?=[^\n]*\d)[^\n]*(?:\n(?!>)[^\n]+){0,2}?\sescribió:$/m,
  /^\d{4}\s?[년./-][^\n]*(?:\n(?!>)[^\n]+){0,2}?(?:님이\s*)?(?:작성|쓴 글|wrote):$/m,
  /^[^\n>]{0,200}님이[^\n]{0,100}(?:작성|쓰셨습니다|쓴 글|보낸 메시지):?$/m,
  /^\d{4}[年/-][^\n]*(?:\n(?!>)[^\n]+){0,2}?(?:のメッセージ|写道|寫道)\s?[:：]$/m,
];

/** Behind these lines stands only what others wrote. */
const borders = [
  /^[ \t]*-{2,}[ \t]*(?:Original Message|Original Appointment|Forwarded message|Forwarded Message|Ursprüngliche Nachricht|Message d'origine|원본 메시지|원본 메일|원본메일|전달된 메시지|전달된 메일|元のメッセージ)[ \t]*-{2,}$/m,
  /^Begin forwarded message:$/m,
  // Outlook: some of the headers of the message that is answered, one below the other.
  /^\*?(?:From|Von|De|보낸 사람|보낸사람|差出人)\s?:\*?\s[^\n]+\n+\*?(?:Sent|Date|To|Gesendet|Envoyé|보낸 날짜|받는 사람|받는사람|날짜|送信日時)\s?:/m,
];

/** A signature begins with this line, and a space at its end. */
const signature = /^--$/m;

/** What a program adds below a message; nobody writes it. */
const additions =
  /^(?:Sent from my [^\n]{1,60}|Sent from (?:Mail|Outlook)[^\n]{0,60}|Get Outlook for [^\n]{1,60}|Sent with [^\n]{1,60}|나의 [^\n]{1,40}에서 보냄|내 [^\n]{1,40}에서 보냄|[^\n]{1,40}에서 보냈습니다\.?|Von meinem [^\n]{1,40} gesendet)$/;

/**
 * What the writer of a mail has written, without what is quoted, how that is introduced, the signature and what the program has added.
 * Answers between the lines that are quoted stay.
 */
export function ownText(mail: string): string {
  const clean = mail.split(/\r\n?|\n/).map((line) => line.trimEnd());
  // First of all, so that no pattern has to look at a million empty lines again and again.
  let text = clean.join('\n').replaceAll(/\n{3,}/g, '\n\n');
  for (const border of borders) text = before(text, border);
  for (const introduction of introductions) text = withoutIntroduced(text, introduction);
  const lines = text.split('\n').filter((line) => !line.startsWith('>'));
  text = before(lines.join('\n'), signature);
  return withoutAdditions(text)
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function before(text: string, border: RegExp): string {
  const at = text.search(border);
  return at < 0 ? text : text.slice(0, at);
}

/** Where lines with ">" follow, the introduction alone goes; otherwise, all that follows was written by others. */
function withoutIntroduced(text: string, introduction: RegExp): string {
  const found = introduction.exec(text);
  if (!found) return text;
  const rest = text.slice(found.index + found[0].length);
  return /^\s*>/.test(rest) ? `${text.slice(0, found.index)}${rest}` : text.slice(0, found.index);
}

function withoutAdditions(text: string): string {
  const lines = text.trimEnd().split('\n');
  while (lines.length > 0 && additions.test(lines.at(-1)?.trim() ?? '')) {
    lines.pop();
    while (lines.at(-1)?.trim() === '') lines.pop();
  }
  return lines.join('\n');
}
