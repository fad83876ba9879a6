import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import type { Draft, DraftPart } from './draft.ts';

/** Enough to see what is the matter; models of different shape differ in hundreds of tensors. */
const maxDifferences = 5;

const remedy = 'Merge models that were trained from the same base.';

/** Checks that each tensor is there in all of its models, in one shape. Errors: `invalid-input`, which lists what differs. */
export function checkAgreement(drafts: readonly Draft[]): void {
  for (const draft of drafts) checkVocabulary(draft);
  const differences = drafts.flatMap((draft) => differenceIn(draft) ?? []);
  if (differences.length === 0) return;
  const shown = differences.slice(0, maxDifferences);
  const more = differences.length - shown.length;
  const list = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  throw new PunaError('invalid-input', `The models are not of one shape: ${list}.`, remedy);
}

/**
 * Checks that models whose layers are stacked could be one model: that tensors of one name have one shape, wherever they come
 * from. Errors: `invalid-input`.
 */
export function checkStackable(drafts: readonly Draft[]): void {
  const sources = new Map(drafts.flatMap(({ parts }) => parts.map(({ source }) => [source.model, source])));
  const names = new Set([...sources.values()].flatMap(({ tensors }) => [...tensors.keys()]));
  const stacked = [...names].map((name): Draft => {
    const parts = [...sources.values()].flatMap((source): DraftPart[] => {
      const tensor = source.tensors.get(name);
      // One model may have more layers than the other.
      return tensor ? [{ source, name, tensor }] : [];
    });
    return { name, place: 0, parts };
  });
  checkAgreement(stacked);
}

function differenceIn({ name, parts }: Draft): string | undefined {
  const [first, ...others] = parts;
  const other = others.find((part) => shapeOf(part) !== (first && shapeOf(first)));
  if (!first || !other) return undefined;
  const described = ({ source, tensor }: DraftPart) =>
    `${tensor ? shapeOf({ tensor }) : 'missing'} in ${quoted(source.model)}`;
  return `${quoted(name)} is ${described(first)} and ${described(other)}`;
}

function shapeOf({ tensor }: Pick<DraftPart, 'tensor'>): string {
  return tensor ? `[${tensor.shape.join(', ')}]` : '';
}

/** Rows of embeddings are tokens. Models with other numbers of them are told so, since that is what they differ in. */
function checkVocabulary({ name, parts }: Draft): void {
  if (!/embed_tokens|lm_head|\bwte\b|word_embeddings|embed_in|embed_out/.test(name)) return;
  const [first, ...others] = parts;
  const rows = first?.tensor?.shape[0];
  const other = others.find(({ tensor }) => tensor && tensor.shape[0] !== rows);
  if (!first?.tensor || !other) return;
  throw new PunaError(
    'invalid-input',
    `${quoted(first.source.model)} has ${rows} tokens and ${quoted(other.source.model)} has ` +
      `${other.tensor?.shape[0]} (rows of ${quoted(name)}), so their vocabularies differ.`,
    'Merge models of one vocabulary; Puna does not align tokens.',
  );
}
