import type { GrowOrder } from '../../../shared/contract/dataset.ts';
import { PunaError } from '../../../shared/error.ts';
import type { NewExample } from '../../dataset-engine/messages.ts';
import { languageOf, loadDetector } from '../clean/language.ts';
import { faultOfAnswer } from './answer-filter.ts';
import { asking, inventing } from './asking.ts';
import type { GrowContext } from './context.ts';
import { exchange, questionOf } from './exchange.ts';
import { faultOfAsked } from './instruction-filter.ts';
import { nothingUsable } from './nothing-usable.ts';
import { faultOfPair, standingAlone } from './pair-filter.ts';
import { pairsPrompt } from './pairs-prompt.ts';
import { type Passage, passagesOf } from './passages.ts';
import { comparePlaces, lastPlace, sourceAt } from './place.ts';
import { type Pair, pairsIn } from './questions.ts';
import { type GrowReason, growReasons } from './reasons.ts';
import { Unlike } from './rouge.ts';

/** A model that wrote nothing usable about so many passages in a row will not do better with the next one. */
const mostBarrenPassages = 20;
/** Room in a reply for a question with its answer, in tokens; Korean takes twice as many as English. */
const pairTokens = 200;

type Order = Extract<GrowOrder, { kind: 'pairs' }>;

/**
 * Questions with answers about texts: each text is cut into passages, and for each of them the model writes questions that the
 * passage answers. Those that it does not answer, that nobody understands without it, and that are too similar to earlier
 * ones, of whatever text, are left out. The source of a pair is the text's, with the numbers of text, passage and question.
 */
export async function* growPairs(order: Order, context: GrowContext): AsyncGenerator<NewExample> {
  const total = await count(passagesIn(context));
  if (total === 0) throw noTexts();
  const ask = asking(order, context);
  const unlike = new Unlike(order.similarity);
  for (const example of context.written) unlike.add(questionOf(example));
  const last = lastPlace(context.written, 3);
  const detect = await loadDetector();

  /** Why a pair is left out; null: it is not. */
  const faultOf = ({ question, answer }: Pair, passage: string): GrowReason | null => {
    const language = languageOf([passage], detect);
    const similar = () => (unlike.isLike(question) ? growReasons.similar : null);
    return (
      faultOfAsked(question, { language, onlyText: false, detect }) ??
      similar() ??
      faultOfAnswer(question, answer) ??
      faultOfPair({ question, answer }, passage)
    );
  };

  let written = context.written.length;
  let [done, barren] = [0, 0];
  for await (const { passage, place, source } of passagesIn(context)) {
    // A passage that was interrupted is asked about again, and gives the same pairs.
    const inPassage = comparePlaces(place, last.slice(0, 2));
    if (inPassage >= 0) {
      context.onProgress(done / total, source);
      const known = inPassage === 0 ? (last[2] ?? 0) : 0;
      let usable = known > 0;
      const turns = [{ role: 'user' as const, text: pairsPrompt(passage, order.perText) }];
      const maxTokens = order.perText * pairTokens;
      const pairs = pairsIn(await ask(place, { ...inventing, maxTokens, turns })).slice(0, order.perText);
      if (pairs.length === 0) context.onLeftOut?.(growReasons.unreadable);
      for (const [at, { question, answer }] of pairs.entries()) {
        const number = at + 1;
        if (number <= known) continue;
        const pair = { question: standingAlone(question), answer };
        const fault = faultOf(pair, [...passage.headings, passage.text].join('\n'));
        if (fault) {
          context.onLeftOut?.(fault);
          continue;
        }
        unlike.add(pair.question);
        usable = true;
        written++;
        yield exchange(pair.question, answer, sourceAt(source, [...place, number]));
      }
      barren = usable ? 0 : barren + 1;
      if (barren >= mostBarrenPassages) break;
    }
    done++;
  }
  context.onProgress(1, '');
  if (written === 0) throw nothingUsable();
}

interface PlacedPassage {
  passage: Passage;
  /** Of the text and of the passage in it, from 1. */
  place: [number, number];
  source: string;
}

async function* passagesIn({ texts, signal }: GrowContext): AsyncGenerator<PlacedPassage> {
  let number = 0;
  for await (const { text, source } of texts()) {
    signal.throwIfAborted();
    number++;
    for (const [at, passage] of passagesOf(text).entries())
      yield { passage, place: [number, at + 1], source };
  }
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let counted = 0;
  for await (const item of items) if (item !== undefined) counted++;
  return counted;
}

function noTexts(): PunaError {
  return new PunaError(
    'invalid-input',
    'There is no text that is long enough to ask questions about.',
    'Questions are made of documents and notes: choose a dataset that has such texts, of at least a paragraph.',
  );
}
