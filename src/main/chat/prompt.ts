import type { Attachment } from '../../shared/contract/index.ts';
import type { Turn } from '../inference/messages.ts';

/** What a prompt needs of a message. */
interface BranchMessage {
  role: 'user' | 'assistant';
  text: string;
  attachments: Attachment[];
}

/** A branch as the turns that the model reads. */
export function promptTurns(branch: BranchMessage[]): Turn[] {
  return branch.map(({ role, text, attachments }) => ({ role, text: withAttachments(text, attachments) }));
}

/**
 * Files come before the person's words, because models follow what stands last. Each is fenced by more backticks than it
 * contains in a row, so that a file cannot end its own fence and speak in the person's name.
 */
function withAttachments(text: string, attachments: Attachment[]): string {
  const files = attachments.map((file) => {
    const longestRun = Math.max(2, ...[...file.text.matchAll(/`+/g)].map((run) => run[0].length));
    const fence = '`'.repeat(longestRun + 1);
    return `${file.name}:\n${fence}\n${file.text}\n${fence}`;
  });
  return [...files, text].join('\n\n');
}
