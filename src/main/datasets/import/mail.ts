import PostalMime, { type Email } from 'postal-mime';
import { textOfMail } from './html-text.ts';
import { ownText } from './mail-text.ts';

/** A mail, as far as examples need it. */
export interface Mail {
  /** Name and address of who wrote it, as far as it tells. */
  readonly from: { readonly name: string; readonly address: string };
  /** What it answers, the message itself first. */
  readonly answers: readonly string[];
  /** What its writer has written; empty where that is nothing. */
  readonly text: string;
  /** Whether a program has sent it, or sent it to many. */
  readonly fromMachine: boolean;
}

/** Reads a mail. Errors: `Error` (nested too deep, or with too many headers). */
export async function readMail(bytes: Uint8Array): Promise<Mail> {
  const email = await PostalMime.parse(bytes);
  const from = email.from?.address === undefined ? (email.from?.group[0] ?? null) : email.from;
  return {
    from: { name: from?.name ?? '', address: from?.address.toLowerCase() ?? '' },
    answers: [...new Set([...identifiers(email.inReplyTo), ...identifiers(email.references).toReversed()])],
    text: ownText(written(email)),
    fromMachine: isFromMachine(email),
  };
}

/** The identifiers in a header. */
export function identifiers(header: string | undefined): string[] {
  return header?.match(/<[^<>\s]+>/g) ?? [];
}

/** As text, or else in HTML, of which programs send both. */
function written({ text, html }: Email): string {
  if (text !== undefined && text.trim() !== '') return text;
  return html === undefined ? '' : textOfMail(html);
}

function isFromMachine({ headers }: Email): boolean {
  const value = (key: string) =>
    headers
      .find((header) => header.key === key)
      ?.value.trim()
      .toLowerCase();
  const automatic = value('auto-submitted');
  if (automatic !== undefined && automatic !== 'no') return true;
  const precedence = value('precedence');
  if (precedence === 'bulk' || precedence === 'junk') return value('list-post') === undefined;
  // Discussions tell where to write to; newsletters only how to leave.
  return value('list-unsubscribe') !== undefined && value('list-post') === undefined;
}
