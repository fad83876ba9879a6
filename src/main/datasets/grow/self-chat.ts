import type { GrowOrder } from '../../../shared/contract/dataset.ts';
import type { NewExample } from '../../dataset-engine/messages.ts';
import type { Turn } from '../../inference/messages.ts';
import { loadDetector } from '../clean/language.ts';
import { faultOfAnswer } from './answer-filter.ts';
import { asking, answering, inventing } from './asking.ts';
import type { GrowContext } from './context.ts';
import { conversation, questionOf } from './exchange.ts';
import { type AskedLimits, faultOfAsked } from './instruction-filter.ts';
import { nothingUsable } from './nothing-usable.ts';
import { personMessage } from './person-message.ts';
import { lastPlace, sourceAt } from './place.ts';
import { growReasons } from './reasons.ts';
import { Unlike } from './rouge.ts';
import { personPrompt } from './self-chat-prompt.ts';

/** Another seed may bring a first question that is unlike all others; a topic that has none after so many is passed over. */
const mostBeginnings = 3;
/** What people write to an assistant is short; the model is kept from answering itself. */
const personTokens = 256;
/** A model with which so many topics in a row came to nothing will not do better with the next one. */
const mostBarrenTopics = 10;

type Order = Extract<GrowOrder, { kind: 'self-chat' }>;

/**
 * Self-chat after Baize (https://arxiv.org/abs/2304.01196): the model asks as a person would, answers as the assistant, and
 * asks on, a conversation for each topic. The turns are asked for one by one, since small models lose count of who speaks
 * when they write a whole transcript.
 */
export async function* growSelfChat(order: Order, context: GrowContext): AsyncGenerator<NewExample> {
  const { topics, similarity } = order;
  const limits = { language: order.language, onlyText: true, detect: await loadDetector() };
  const begun = new Unlike(similarity);
  for (const example of context.written) begun.add(questionOf(example));
  const [lastTopic = 0] = lastPlace(context.written, 1);
  let written = context.written.length;
  let barren = 0;
  for (const [at, topic] of topics.entries()) {
    if (at < lastTopic) continue;
    if (barren >= mostBarrenTopics) break;
    context.onProgress(at / topics.length, topic);
    const turns = await talk({ order, context, limits, begun, topic, number: at + 1 });
    const [first] = turns;
    barren = first ? 0 : barren + 1;
    if (!first) continue;
    begun.add(first.text);
    written++;
    yield conversation(turns, sourceAt(topic, [at + 1]));
  }
  context.onProgress(1, '');
  if (written === 0) throw nothingUsable();
}

interface Talk {
  order: Order;
  context: GrowContext;
  limits: AskedLimits;
  /** First questions of other conversations. */
  begun: Unlike;
  topic: string;
  /** Of the topic, from 1. */
  number: number;
}

/** As many exchanges as there can be; none where the first question or its answer is not usable. */
async function talk({ order, context, limits, begun, topic, number }: Talk): Promise<Turn[]> {
  const ask = asking(order, context);
  const turns: Turn[] = [];
  const asked = new Unlike(order.similarity);

  const nextQuestion = async (attempt: number): Promise<string | null> => {
    const text = personPrompt(topic, turns, order.language);
    const question = { ...inventing, maxTokens: personTokens, turns: [{ role: 'user' as const, text }] };
    const message = personMessage(await ask([number, turns.length, attempt], question));
    if (message === null) return null;
    const others = turns.length === 0 ? begun : asked;
    const similar = () => (others.isLike(message) ? growReasons.similar : null);
    const strange = faultOfAsked(message, limits);
    // "Why?" is a fine follow-up.
    const fault = (turns.length > 0 && strange === growReasons.tooShort ? null : strange) ?? similar();
    if (fault) context.onLeftOut?.(fault);
    return fault ? null : message;
  };

  while (turns.length < order.exchanges * 2) {
    let question = await nextQuestion(0);
    // Later on, whoever has nothing new to say has come to the end.
    for (let attempt = 1; turns.length === 0 && question === null && attempt < mostBeginnings; attempt++) {
      question = await nextQuestion(attempt);
    }
    if (question === null) return turns;
    const asking: Turn = { role: 'user', text: question };
    const answer = await ask([number, turns.length + 1, 0], { turns: [...turns, asking], ...answering });
    const said = turns.some(({ text }) => text === answer) ? growReasons.repetition : null;
    const fault = faultOfAnswer(question, answer) ?? said;
    if (fault) {
      context.onLeftOut?.(fault);
      return turns;
    }
    asked.add(question);
    turns.push(asking, { role: 'assistant', text: answer });
  }
  return turns;
}
