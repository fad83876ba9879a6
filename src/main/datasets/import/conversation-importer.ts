import type { z } from 'zod';
import { isElementOrWhole, placeOf, valuesOf } from '../export-text.ts';
import { fileImporter } from './file-importer.ts';
import type { FileStart, Found, Importer } from './importer.ts';
import { reasons } from './reasons.ts';

/** How an export of conversations with a model is read. */
interface ConversationKind<Conversation> {
  readonly name: string;
  recognises(start: FileStart): boolean;
  readonly schema: z.ZodType<Conversation>;
  /** What is found in one conversation. */
  read(conversation: Conversation, where: string): Iterable<Found>;
}

/** An importer of JSON files that list conversations with a model, or have one as a whole. */
export function conversationImporter<Conversation>(kind: ConversationKind<Conversation>): Importer {
  return fileImporter({
    name: kind.name,
    recognises: kind.recognises,
    async *read(exported, file, options) {
      let count = 0;
      for await (const found of valuesOf(exported, file, isElementOrWhole, options)) {
        const where = placeOf(file, `conversation ${++count}, which begins on line ${found.line}`);
        if (found.kind === 'broken') {
          yield { kind: 'skipped', reason: reasons.brokenJson, where };
          continue;
        }
        const parsed = kind.schema.safeParse(found.value);
        if (parsed.success) yield* kind.read(parsed.data, where);
        else yield { kind: 'skipped', reason: reasons.wrongConversation, where };
      }
    },
  });
}
