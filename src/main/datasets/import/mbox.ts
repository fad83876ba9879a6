import { type FileHandle, open } from 'node:fs/promises';
import { fileError } from '../../storage/index.ts';
import type { Found, Importer, ImportOptions, Person } from './importer.ts';
import { identifiers, type Mail, readMail } from './mail.ts';
import { type MailBytes, splitMbox, unprotected } from './mbox-split.ts';

/** The line that separates mails, and the first header of one. */
const beginning = /^From [^\n]*\n(?:[!-9;-~]+:|>From )/;

/** Mails of which it is known where they lie, so that answers find them: some 100 bytes each, of a large mailbox. */
const maxKnown = 1_000_000;

/** Where a mail lies in its file. */
interface Place {
  readonly start: number;
  readonly length: number;
}

/** Mailboxes as Gmail's export, Thunderbird, Apple Mail and most programs on Unix write them. */
export const mbox: Importer = {
  name: 'mbox',
  recognises: ({ bytes }) => beginning.test(Buffer.from(bytes).toString('latin1').replaceAll('\r', '')),
  read: readMailbox,
  speakers: async (path, signal) => ({ people: await writersOf(path, signal), me: null }),
};

/** Without a person, each mail is a text. With one, their mails are: replies to the mail that they answer, where that is in the file, else texts. */
async function* readMailbox(path: string, options: ImportOptions): AsyncGenerator<Found> {
  const { me, signal } = options;
  const places = me === null ? new Map<string, Place>() : await placesOf(path, signal);
  await using file = await open(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  for await (const found of splitMbox(path, options)) {
    signal?.throwIfAborted();
    const where = `mail ${found.number}`;
    const mail = await parsed(found.bytes);
    if (typeof mail === 'string') yield { kind: 'skipped', reason: mail, where };
    else yield { ...(await foundIn(mail, me, (id) => mailAt(file, places.get(id)))), where };
  }
}

type Unplaced =
  { kind: 'draft'; draft: Extract<Found, { kind: 'draft' }>['draft'] } | { kind: 'skipped'; reason: string };

async function foundIn(
  mail: Mail,
  me: string | null,
  find: (id: string) => Promise<Mail | null>,
): Promise<Unplaced> {
  if (me !== null && !isBy(mail, me)) {
    return { kind: 'skipped', reason: 'mails by others, which are only read where they were answered' };
  }
  if (me === null && mail.fromMachine) return { kind: 'skipped', reason: 'mails that a program has sent' };
  if (mail.text === '') return { kind: 'skipped', reason: 'mails without a text of their own' };
  if (me === null) return { kind: 'draft', draft: { kind: 'text', text: mail.text } };
  for (const id of mail.answers) {
    const answered = await find(id);
    // Their own earlier mail asks them nothing.
    if (!answered || answered.text === '' || isBy(answered, me)) continue;
    const turns = [
      { role: 'user' as const, text: answered.text },
      { role: 'assistant' as const, text: mail.text },
    ];
    return { kind: 'draft', draft: { kind: 'conversation', turns } };
  }
  return { kind: 'draft', draft: { kind: 'text', text: mail.text } };
}

/** Why a mail cannot be read, where it cannot. */
async function parsed(bytes: Buffer | null): Promise<Mail | string> {
  if (bytes === null) return 'mails that are too large';
  try {
    return await readMail(bytes);
  } catch {
    return 'mails that are damaged';
  }
}

async function mailAt(file: FileHandle, place: Place | undefined): Promise<Mail | null> {
  if (!place) return null;
  const bytes = Buffer.alloc(place.length);
  await file.read(bytes, 0, bytes.length, place.start);
  const mail = await parsed(unprotected(bytes));
  return typeof mail === 'string' ? null : mail;
}

/** Where mails lie, by their identifiers: answers often stand before what they answer. */
async function placesOf(path: string, signal: AbortSignal | undefined): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for await (const mail of splitMbox(path, { signal })) {
    const [id] = identifiers(headerOf(mail, 'message-id'));
    if (id !== undefined && mail.bytes && places.size < maxKnown) {
      places.set(id, { start: mail.start, length: mail.length });
    }
  }
  return places;
}

async function writersOf(path: string, signal?: AbortSignal): Promise<Person[]> {
  const writers = new Map<string, { name: string; messages: number }>();
  for await (const { bytes } of splitMbox(path, { signal })) {
    const mail = await parsed(bytes && headersOnly(bytes));
    if (typeof mail === 'string' || mail.fromMachine) continue;
    const { name, address } = mail.from;
    const key = address || name;
    if (key === '') continue;
    const known = writers.get(key);
    if (known) known.messages++;
    else writers.set(key, { name: shownAs(mail), messages: 1 });
  }
  return [...writers.values()].sort((one, other) => other.messages - one.messages);
}

function shownAs({ from: { name, address } }: Mail): string {
  if (name === '' || name === address) return address;
  return address === '' ? name : `${name} <${address}>`;
}

/** By address, by name, or by both as they are shown. */
function isBy(mail: Mail, me: string): boolean {
  const wanted = me.trim().toLowerCase();
  const { name, address } = mail.from;
  const inBrackets = /<([^<>]+)>$/.exec(wanted)?.[1];
  return address !== '' && (inBrackets ?? wanted) === address ? true : wanted === name.trim().toLowerCase();
}

function headersOnly(bytes: Buffer): Buffer {
  const end = /\r?\n\r?\n/.exec(bytes.subarray(0, maxHeaderBytes).toString('latin1'));
  return end ? bytes.subarray(0, end.index + end[0].length) : bytes.subarray(0, maxHeaderBytes);
}

/** As the parser of mails has it. */
const maxHeaderBytes = 2 * 2 ** 20;

function headerOf({ bytes }: MailBytes, key: string): string | undefined {
  const headers =
    bytes &&
    headersOnly(bytes)
      .toString('latin1')
      .replaceAll(/\r?\n[ \t]+/g, ' ');
  return headers ? new RegExp(`^${key}:(.*)$`, 'im').exec(headers)?.[1] : undefined;
}
