import { type AttachmentInfo, type Message, replyStatsSchema } from '../../shared/contract/index.ts';

/** A line of the table `messages`. */
export interface MessageRow {
  id: number;
  conversation_id: number;
  parent_id: number | null;
  role: Message['role'];
  text: string;
  thinking: string;
  status: Message['status'];
  error: string | null;
  error_code: Message['errorCode'];
  /** JSON */
  stats: string | null;
  rating: Message['feedback']['rating'];
  correction: string | null;
  created_at: number;
}

/** A file of a message, without its text. */
export type AttachmentRow = AttachmentInfo;

export function toMessage(row: MessageRow, attachments: AttachmentRow[]): Message {
  return {
    ...{ id: row.id, conversationId: row.conversation_id, parentId: row.parent_id },
    ...{ role: row.role, text: row.text, thinking: row.thinking, status: row.status },
    ...{ error: row.error, errorCode: row.error_code },
    attachments,
    stats: row.stats === null ? null : replyStatsSchema.parse(JSON.parse(row.stats)),
    feedback: { rating: row.rating, correction: row.correction },
    createdAt: row.created_at,
  };
}
