import type { GrowOrder } from '../../../shared/contract/dataset.ts';
import type { NewExample } from '../../dataset-engine/messages.ts';
import type { Turn } from '../../inference/messages.ts';
import { type SeededRandom, seededRandom } from '../../training/random.ts';
import { loadDetector } from '../clean/language.ts';
import { faultOfAnswer } from './answer-filter.ts';
import { answering, asking, inventing } from './asking.ts';
import type { GrowContext } from './context.ts';
import { exchange, questionOf } from './exchange.ts';
import { faultOfAsked } from './instruction-filter.ts';
import { nothingUsable } from './nothing-usable.ts';
import { lastPlace, placeOf, sourceAt } from './place.ts';
import { growReasons } from './reasons.ts';
import { Unlike } from './rouge.ts';
import { ownSeeds } from './seeds.ts';
import { taskPrompt } from './self-instruct-prompt.ts';
import { instructionOf, type Task, tasksIn, taskText } from './tasks.ts';

/** The paper shows six tasks of people and two of the model's own; fewer leave more of a small model's context for the reply. */
const shownSeeds = 3;
const shownOwn = 2;
/** Answers of the person's own tasks that are shown before an answer, and how long they may be for a small context. */
const shownAnswerCount = 2;
const mostShownAnswer = 2000;
/** Asked for at once: of more, small models repeat themselves, and lose more when the reply is cut off. */
const tasksAtOnce = 5;
/** A model that wrote nothing usable in so many replies in a row, of five tasks each, will not begin to. */
const mostBarrenRounds = 10;

type Order = Extract<GrowOrder, { kind: 'self-instruct' }>;

/**
 * Self-instruct (https://arxiv.org/abs/2212.10560) for models that chat: a few tasks are shown, new ones are asked for, those
 * that are too similar to an earlier one or that cannot be done in text are left out, and each that is left is answered by
 * itself, as a person would have asked it. Input and instruction come at once, as Alpaca has it
 * (https://github.com/tatsu-lab/stanford_alpaca).
 */
export async function* growSelfInstruct(order: Order, context: GrowContext): AsyncGenerator<NewExample> {
  const { language, count } = order;
  const ask = asking(order, context);
  const limits = { language, onlyText: true, detect: await loadDetector() };
  const seeds = order.seeds.length > 0 ? order.seeds : ownSeeds[language];
  const unlike = new Unlike(order.similarity);
  for (const { instruction } of seeds) unlike.add(instruction);
  const own: OwnTask[] = context.written.map(ownTask);
  for (const { instruction } of own) unlike.add(instruction);
  const [lastRound = 0, lastTask = 0] = lastPlace(context.written, 2);

  let barren = 0;
  for (let round = Math.max(1, lastRound); own.length < count && barren < mostBarrenRounds; round++) {
    // A round that was interrupted is asked for again, and gives the same tasks.
    const done = round === lastRound ? lastTask : 0;
    let usable = done > 0;
    const examples = drawn(seeds, own, order.seed, round);
    context.onProgress(own.length / count, own.at(-1)?.instruction ?? '');
    const prompt = taskPrompt(examples, tasksAtOnce, language);
    const tasks = tasksIn(await ask([round, 0], { turns: [{ role: 'user', text: prompt }], ...inventing }));
    if (tasks.length === 0) context.onLeftOut?.(growReasons.unreadable);
    for (const [at, task] of tasks.entries()) {
      const number = at + 1;
      if (number <= done) continue;
      const text = taskText(task);
      const similar = () => (unlike.isLike(task.instruction) ? growReasons.similar : null);
      const fault = faultOfAsked(task.instruction, limits) ?? similar();
      if (fault) {
        context.onLeftOut?.(fault);
        continue;
      }
      context.onProgress(own.length / count, task.instruction);
      const shown = shownAnswers(order, [round, number]);
      const turns = [...shown, { role: 'user' as const, text }];
      const answer = await ask([round, number], { turns, ...answering });
      const copied = shown.some((turn) => turn.text === answer) ? growReasons.echo : null;
      const answerFault = copied ?? faultOfAnswer(text, answer);
      if (answerFault) {
        context.onLeftOut?.(answerFault);
        continue;
      }
      unlike.add(task.instruction);
      own.push({ ...task, round });
      usable = true;
      yield exchange(text, answer, sourceAt('self-instruct', [round, number]));
      if (own.length >= count) break;
    }
    barren = usable ? 0 : barren + 1;
  }
  context.onProgress(own.length / count, '');
  if (own.length === 0) throw nothingUsable();
}

/** A task of the model's own, and the round in which it was written. */
type OwnTask = Task & { round: number };

function ownTask(example: NewExample): OwnTask {
  const text = questionOf(example);
  const instruction = instructionOf(text);
  const input = text.slice(instruction.length).trim();
  return { instruction, input, round: placeOf(example, 2)?.[0] ?? 0 };
}

/** Tasks to show in a round: some of people, some of the model's own that earlier rounds have brought, in any order. */
function drawn(seeds: readonly Task[], own: readonly OwnTask[], seed: number, round: number): Task[] {
  const random = seededRandom(seed, round);
  const earlier = own.filter((task) => task.round < round);
  const some = [...sample(seeds, shownSeeds, random), ...sample(earlier, shownOwn, random)];
  return sample(some, some.length, random);
}

/**
 * Some of the person's own tasks with their answers, as if the conversation had begun with them: how they answer is what the model
 * is to be like. Puna's own tasks only show what can be asked.
 */
function shownAnswers({ seeds, seed }: Order, place: readonly number[]): Turn[] {
  const short = seeds.filter(({ input, output }) => input.length + output.length <= mostShownAnswer);
  return sample(short, shownAnswerCount, seededRandom(seed, ...place)).flatMap((task): Turn[] => [
    { role: 'user', text: taskText(task) },
    { role: 'assistant', text: task.output },
  ]);
}

function sample<Item>(items: readonly Item[], size: number, random: SeededRandom): Item[] {
  const left = [...items];
  return Array.from({ length: Math.min(size, left.length) }, () =>
    left.splice(random.below(left.length), 1),
  ).flat();
}
