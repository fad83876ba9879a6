import { z } from 'zod';
import type { DraftTurn } from '../draft.ts';
import { lineOf, linesOf } from '../export-text.ts';
import { fileImporter } from './file-importer.ts';
import type { Found } from './importer.ts';
import { reasons } from './reasons.ts';

const messageShape = {
  message_id: z.string(),
  parent_id: z.string().nullish(),
  text: z.string(),
  role: z.string(),
  rank: z.number().nullish(),
  deleted: z.boolean().nullish(),
  review_result: z.boolean().nullish(),
};
const flatSchema = z.object({ ...messageShape, message_tree_id: z.string() });
/** Replies are parsed one after the other, on the way: they may nest as deep as someone likes. */
const nodeSchema = z.object({ ...messageShape, replies: z.array(z.unknown()).nullish() });
const treeSchema = z.object({ message_tree_id: z.string(), prompt: z.unknown() });

interface Node {
  text: string;
  role: string;
  rank?: number | null | undefined;
  deleted?: boolean | null | undefined;
  review_result?: boolean | null | undefined;
}

/** Trees of Open Assistant, as JSONL of trees or of messages. Of each tree the path of the best-ranked replies is read. */
export const oasst = fileImporter({
  name: 'oasst',
  recognises: ({ text }) =>
    text !== null &&
    /^\s*\{/.test(text) &&
    /"message_tree_id"\s*:/.test(text) &&
    /"(?:prompt|message_id)"\s*:/.test(text),
  async *read(exported, file, options) {
    const gathered = new Gathered();
    for await (const { text, line } of linesOf(exported, file, options)) {
      if (text.trim() === '') continue;
      const where = lineOf(file, line);
      const value = parsed(text);
      const tree = treeSchema.safeParse(value);
      const message = flatSchema.safeParse(value);
      if (value === undefined) yield { kind: 'skipped', reason: reasons.brokenJson, where };
      else if (message.success) yield* gathered.add(message.data, where);
      else if (tree.success) yield* bestPath(tree.data.prompt, where, repliesOf);
      else yield { kind: 'skipped', reason: reasons.wrongShape, where };
    }
    yield* gathered.end();
  },
});

type Flat = z.infer<typeof flatSchema>;

/** The messages of one tree, which stand one after the other. */
class Gathered {
  #messages: Flat[] = [];
  #where = '';

  *add(message: Flat, where: string): Generator<Found> {
    if (this.#messages[0]?.message_tree_id !== message.message_tree_id) {
      yield* this.end();
      this.#where = where;
    }
    this.#messages.push(message);
  }

  *end(): Generator<Found> {
    const messages = this.#messages.splice(0);
    if (messages.length === 0) return;
    const root = messages.find(({ parent_id: parent }) => !parent);
    if (!root) {
      yield { kind: 'skipped', reason: reasons.orphans, where: this.#where };
      return;
    }
    const replies = Map.groupBy(messages, ({ parent_id: parent }) => parent ?? '');
    yield* bestPath(root, this.#where, (value) => replies.get(flatSchema.parse(value).message_id) ?? []);
  }
}

function repliesOf(value: unknown): unknown[] {
  return nodeSchema.parse(value).replies ?? [];
}

function* bestPath(
  prompt: unknown,
  where: string,
  repliesTo: (value: unknown) => unknown[],
): Generator<Found> {
  const turns: DraftTurn[] = [];
  let values = [prompt];
  const seen = new Set<unknown>();
  while (values.length > 0) {
    const nodes = values.flatMap((value) => {
      const { data } = nodeSchema.safeParse(value);
      return data && !data.deleted && data.review_result !== false ? [{ value, node: data as Node }] : [];
    });
    for (let count = nodes.length === 0 ? 0 : 1; count < values.length; count++) {
      yield { kind: 'skipped', reason: reasons.unranked, where };
    }
    const best = nodes.toSorted((one, other) => rankOf(one.node) - rankOf(other.node))[0];
    if (!best || seen.has(best.value)) break;
    seen.add(best.value);
    turns.push({ role: roleOf(best.node.role), text: best.node.text });
    values = repliesTo(best.value);
  }
  if (turns.length === 0) yield { kind: 'skipped', reason: reasons.wrongShape, where };
  else yield { kind: 'draft', draft: { kind: 'conversation', turns }, where };
}

/** Best is 0; what nobody ranked comes last, in the order of the file. */
function rankOf({ rank }: Node): number {
  return rank ?? Number.MAX_SAFE_INTEGER;
}

function roleOf(role: string): DraftTurn['role'] {
  return role === 'prompter' ? 'user' : role === 'assistant' ? 'assistant' : 'other';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
