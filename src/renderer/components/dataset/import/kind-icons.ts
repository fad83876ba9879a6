import Code from '@lucide/svelte/icons/code';
import FileText from '@lucide/svelte/icons/file-text';
import Folder from '@lucide/svelte/icons/folder';
import Mail from '@lucide/svelte/icons/mail';
import MessageSquareText from '@lucide/svelte/icons/message-square-text';
import MessagesSquare from '@lucide/svelte/icons/messages-square';
import Table from '@lucide/svelte/icons/table-2';

const icons: Record<string, typeof FileText> = {
  ...{ chatgpt: MessageSquareText, claude: MessageSquareText, oasst: MessageSquareText },
  ...{ examples: MessageSquareText, telegram: MessagesSquare, discord: MessagesSquare },
  ...{ slack: MessagesSquare, kakaotalk: MessagesSquare, whatsapp: MessagesSquare },
  ...{ parquet: Table, csv: Table, mbox: Mail, eml: Mail, code: Code, folder: Folder },
};

/** A picture for what a source is. */
export function kindIcon(kind: string | undefined): typeof FileText {
  return icons[kind ?? ''] ?? FileText;
}
