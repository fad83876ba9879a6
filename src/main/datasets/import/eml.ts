import { readFile, stat } from 'node:fs/promises';
import { fileError } from '../../storage/index.ts';
import { PunaError } from '../../../shared/error.ts';
import type { Found, Importer } from './importer.ts';
import { readMail } from './mail.ts';
import { wholeFile } from './whole-document.ts';

/** The first headers of a mail; a mailbox begins with another line. */
const headers = /^(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}/;

/** As of the mails in a mailbox. */
const maxMailBytes = 64 * 2 ** 20;

/** A single mail, as programs save it. */
export const eml: Importer = {
  name: 'eml',
  recognises: ({ bytes, archive }) => {
    if (archive) return false;
    const found = headers.exec(Buffer.from(bytes).toString('latin1').replaceAll('\r', ''))?.[0] ?? '';
    return /^From:/im.test(found) && /^(?:Message-ID|MIME-Version|Received|Date):/im.test(found);
  },
  read: readFileOfMail,
};

async function* readFileOfMail(path: string): AsyncGenerator<Found> {
  const bytes = await bytesOf(path);
  const where = wholeFile;
  const mail = await readMail(bytes).catch((thrown: unknown) => {
    throw new PunaError('invalid-input', `${path} is a mail that is damaged.`, 'Save it again.', {
      cause: thrown,
    });
  });
  if (mail.text === '') yield { kind: 'skipped', reason: 'mails without a text of their own', where };
  else yield { kind: 'draft', draft: { kind: 'text', text: mail.text }, where };
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > maxMailBytes) {
      throw new PunaError('invalid-input', `${path} is larger than any mail.`, 'Choose a mail or a mailbox.');
    }
    return await readFile(path);
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}
