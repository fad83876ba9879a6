import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOfMail } from '../../src/main/datasets/import/html-text.ts';
import { ownText } from '../../src/main/datasets/import/mail-text.ts';
import { mbox } from '../../src/main/datasets/import/mbox.ts';
import { documentFixture as fixture, importFile } from '../support/imports.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-mail-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const own = {
  reply: 'Seven is fine.\n\nFrom now on I cook.',
  korean: '네, 좋습니다.',
  note: '내일 일찍 오세요.',
};
const asked = 'Shall we eat at seven?\n\nAnn';

describe('a mailbox', () => {
  it('gives what people have written, without quotes, signatures and newsletters', async () => {
    expect(await importFile(fixture('mail.mbox'))).toEqual({
      importer: 'mbox',
      drafts: [own.reply, asked, own.korean, own.note],
      skipped: [['mail 4', 'mails that a program has sent']],
    });
  });

  it.each(['kim@example.org', 'Kim Puna', 'Kim Puna <kim@example.org>', ' KIM@example.org '])(
    'of %s gives replies to what they answer, even where that stands behind them',
    async (me) => {
      const { drafts, skipped } = await importFile(fixture('mail.mbox'), { me });
      expect(drafts[0]).toEqual([`user: ${asked}`, `assistant: ${own.reply}`]);
      expect(drafts.at(-1)).toBe(own.note);
      expect(skipped).toContainEqual([
        'mail 2',
        'mails by others, which are only read where they were answered',
      ]);
    },
  );

  it('has writers, most mails first', async () => {
    expect((await mbox.speakers?.(fixture('mail.mbox')))?.people).toEqual([
      { name: 'Kim Puna <kim@example.org>', messages: 3 },
      { name: 'Ann Lee <ann@example.com>', messages: 1 },
    ]);
  });

  it('with Windows line ends gives the same', async () => {
    const text = (await readFile(fixture('mail.mbox'), 'utf8')).replaceAll('\n', '\r\n');
    const found = await importFile(await fileOf('windows', text), { me: 'Kim Puna' });
    expect(found.drafts[0]).toEqual([`user: ${asked}`, `assistant: ${own.reply}`]);
  });

  it('loses a damaged mail alone, and tells which', async () => {
    const nested = Array.from(
      { length: 400 },
      (_, index) => `Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n`,
    ).join('');
    const mails = (await readFile(fixture('mail.mbox'), 'utf8')).split(/^(?=From \d)/m);
    const damaged = [mails[0], `From x\nFrom: a@b\n${nested}\n\n`, mails[4]].join('');
    const { drafts, skipped } = await importFile(await fileOf('damaged.mbox', damaged));
    expect(drafts).toEqual([own.reply, own.note]);
    expect(skipped).toEqual([['mail 2', 'mails that are damaged']]);
  });

  it('tells how far it is, and is no longer read once the signal aborts', async () => {
    const reported: number[] = [];
    await importFile(fixture('mail.mbox'), { onProgress: (bytes) => reported.push(bytes) });
    expect(reported.at(-1)).toBe((await readFile(fixture('mail.mbox'))).length);
    expect(reported).toEqual(reported.toSorted((one, other) => one - other));
    await expect(importFile(fixture('mail.mbox'), { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe('a single mail', () => {
  it('is a text, with lines that were broken softly as one', async () => {
    expect(await importFile(fixture('one.eml'))).toEqual({
      importer: 'eml',
      drafts: ['A line that is broken softly.'],
      skipped: [],
    });
  });

  it('is not what only begins with a word and a colon', async () => {
    const path = await fileOf('notes.txt', 'From: here on\nIt is a story.\n');
    await expect(importFile(path)).rejects.toThrow('Nothing recognises');
  });
});

describe('what somebody wrote in a mail', () => {
  it.each([
    ['Gmail', 'Yes.\n\nOn Mon, Jan 1, 2024 at 9:00 AM Ann Lee <a@b.c> wrote:\n\n> No?'],
    ['Gmail, broken over lines', 'Yes.\n\nOn Mon, Jan 1, 2024 at 9:00 AM Ann Lee\n<a@b.c>\nwrote:\n> No?'],
    ['Gmail, Korean', 'Yes.\n\n2024년 1월 1일 (월) 오전 9:00, 이안 <a@b.c>님이 작성:\n\n> No?'],
    ['Gmail, German', 'Yes.\n\nAm Mo., 1. Jan. 2024 um 09:00 Uhr schrieb Ann <a@b.c>:\n\n> No?'],
    ['Gmail, French', 'Yes.\n\nLe lun. 1 janv. 2024 à 09:00, Ann <a@b.c> a écrit :\n\n> No?'],
    ['without signs of quotes', 'Yes.\n\nOn 1 Jan 2024, Ann wrote:\n\nNo?\nOr not?'],
    ['Outlook', 'Yes.\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\nNo?'],
    ['Outlook, Korean', 'Yes.\n\n-----원본 메시지-----\n보낸 사람: 이안\nNo?'],
    ['Outlook, headers alone', 'Yes.\n\nFrom: Ann <a@b.c>\nSent: Monday, January 1, 2024\nTo: Kim\n\nNo?'],
    ['Outlook, Korean headers', 'Yes.\n\n보낸 사람: 이안 <a@b.c>\n보낸 날짜: 2024년 1월 1일\n\nNo?'],
    ['forwarded', 'Yes.\n\n---------- Forwarded message ---------\nFrom: Ann\n\nNo?'],
    ['a signature', 'Yes.\n\n-- \nKim\nPuna Inc.'],
    ['a telephone', 'Yes.\n\nSent from my iPhone'],
    ['a Korean telephone', 'Yes.\n\n나의 iPhone에서 보냄'],
  ])('is alone, as %s sends it', (_, mail) => {
    expect(ownText(mail)).toBe('Yes.');
    expect(ownText(mail.replaceAll('\n', '\r\n'))).toBe('Yes.');
  });

  it('between quoted lines stays', () => {
    const mail = 'On Jan 1, 2024, Ann wrote:\n> Tea?\n\nYes.\n\n> Cake?\n\nNo.';
    expect(ownText(mail)).toBe('Yes.\n\nNo.');
  });

  it('stays where it only looks alike', () => {
    const mail = 'On that day she wrote:\nI come home.\n\nA -- B\n\nFrom: here\n\nit goes on.';
    expect(ownText(mail)).toBe(mail);
  });

  it('is read in no time that grows with the square of what strangers send', () => {
    const blanks = `a${' '.repeat(300_000)}b\n${'\n'.repeat(300_000)}c`;
    expect(ownText(blanks)).toBe(`a${' '.repeat(300_000)}b\n\nc`);
  });

  it('in HTML is without quotes of Gmail, Thunderbird and Outlook', () => {
    const gmail = '<div>Yes.</div><div class="gmail_quote"><blockquote>No?</blockquote></div>';
    const thunderbird =
      '<p>Yes.</p><div class="moz-cite-prefix">Ann:</div><blockquote type="cite">No?</blockquote>';
    const outlook =
      '<p>Yes.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: Ann</div><div>No?</div>';
    for (const html of [gmail, thunderbird, outlook]) expect(ownText(textOfMail(html))).toBe('Yes.');
  });
});
