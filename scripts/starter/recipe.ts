import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointPath, type ScheduleKind } from '../../src/main/training/messages.ts';
import type { ConversationOptions } from './conversations.ts';
import { generate, heldOutConversation, jsonLines } from './generate.ts';
import { heldOutQuestions } from './held-out.ts';
import { Material } from './material.ts';
import { writeModelFolder } from './model-folder.ts';
import { pirateTopics } from './pirate.ts';
import { puna } from './puna.ts';
import { sampleChats, sampleFiles, sampleIndex } from './samples.ts';
import { trainTokenizer } from './tokenizer.ts';
import { writeUntrained } from './untrained.ts';

/** Of which embeddings and head are made: nearly half of the weights. */
const tokens = 3072;
/** Steps of one sequence each, on one thread: many small ones learn more of as much text than few large ones. */
const training = { context: 512, batch: 1, decay: 0.1, lr: 5e-4 };

interface Phase {
  name: string;
  /** What conversations are drawn. */
  data: ConversationOptions & { seed: number };
  settings: { steps: number; warmup: number; schedule: ScheduleKind };
}

/**
 * At first most of what is asked is only named, which takes a fifth of the tokens of an answer: what is meant is learnt sooner so. Then come
 * more answers, more small talk, and invented people, from whom it has the words that it needs once it is taught. The rate falls only at the end.
 */
export const phases: readonly Phase[] = [
  {
    name: 'first',
    data: { seed: 1, naming: 0.85, talk: 1, people: 0 },
    settings: { steps: 10_000, warmup: 100, schedule: 'constant' },
  },
  {
    name: 'second',
    data: { seed: 2, naming: 0.5 },
    settings: { steps: 6000, warmup: 50, schedule: 'constant' },
  },
  {
    name: 'third',
    data: { seed: 3, naming: 0.3 },
    settings: { steps: 14_000, warmup: 50, schedule: 'cosine' },
  },
];

/** The pirate needs a manner only; what he says is there. */
const pirate = { conversations: 3000, steps: 600, lr: 4e-4, rank: 8, targets: 'v,o,down' };

export interface Recipe {
  /** Where everything lies that is made on the way. */
  work: string;
  /** Where what comes with Puna goes. */
  out: string;
  threads: number;
}

/** Text to learn from, text to measure on, and a model that knows nothing yet. */
export async function prepare({ work }: Recipe): Promise<void> {
  const at = (name: string) => join(work, name);
  await mkdir(work, { recursive: true });
  const texts = ['system', 'user', 'assistant'];
  for (const { name, data } of phases) {
    const { learnt } = generate(data);
    for (const messages of learnt) texts.push(...messages.map(({ content }) => content));
    await writeFile(at(`${name}.jsonl`), jsonLines(learnt));
  }
  await writeFile(at('held-out.jsonl'), jsonLines(heldOutQuestions().map(heldOutConversation)));
  await writeUntrained(at('untrained.gguf'), trainTokenizer(texts, tokens));
}

/** Where a phase's model goes, in F32. */
export function trainedBy({ name }: Phase, { work }: Recipe): string {
  return join(work, `${name}.gguf`);
}

/** Trains all weights, phase by phase; goes on from the checkpoint of an earlier try. Writes the model in F16. */
export async function train(recipe: Recipe): Promise<void> {
  const { work, out, threads } = recipe;
  const at = (name: string) => join(work, name);
  let model = at('untrained.gguf');
  for (const phase of phases) {
    const trained = trainedBy(phase, recipe);
    if (!(await isThere(trained)) || (await isThere(checkpointPath(trained)))) {
      await learn(model, trained, [
        ...['--data', at(`${phase.name}.jsonl`), '--validation-data', at('held-out.jsonl'), '--all'],
        ...options({
          ...training,
          ...phase.settings,
          threads,
          'checkpoint-every': 250,
          'evaluate-every': 4000,
        }),
      ]);
    }
    model = trained;
  }
  await mkdir(out, { recursive: true });
  const starter = join(out, sampleFiles.model);
  await rm(starter, { force: true });
  await puna(['quantize', model, starter, '--type', 'F16', '--threads', String(threads)]);
}

/** The sample chats, and what the tour asks. */
export async function writeSamples({ out }: Recipe): Promise<void> {
  await writeFile(join(out, sampleFiles.chats), jsonLines(sampleChats()));
  await writeFile(join(out, sampleFiles.index), sampleIndex());
}

/** The sample delta: a LoRA that speaks as a pirate, merged into the starter, and the difference of both, packed. */
export async function makeDelta({ work, out, threads }: Recipe): Promise<void> {
  const at = (name: string) => join(work, name);
  const base = join(out, sampleFiles.model);
  const { conversations, steps, lr, rank, targets } = pirate;
  const material = new Material(pirateTopics(new Material().topics));
  await writeFile(
    at('pirate.jsonl'),
    jsonLines(generate({ count: conversations, material, people: 0 }).learnt),
  );
  await learn(base, at('pirate-adapter.gguf'), [
    ...['--data', at('pirate.jsonl'), '--context', '512', '--steps', String(steps), '--validation', '0'],
    ...options({ lr, rank, targets, threads, 'checkpoint-every': 100, warmup: 10 }),
  ]);
  for (const name of ['pirate.gguf', 'pirate']) await rm(at(name), { recursive: true, force: true });
  await puna([
    'adapter',
    'merge',
    '--base',
    base,
    '--adapter',
    at('pirate-adapter.gguf'),
    '--out',
    at('pirate.gguf'),
  ]);
  await writeModelFolder(at('pirate.gguf'), at('pirate'));
  const delta = join(out, sampleFiles.delta);
  await rm(delta, { recursive: true, force: true });
  await puna(['delta', 'make', '--base', base, '--target', at('pirate'), '--out', delta, '--compress']);
}

async function learn(model: string, out: string, args: readonly string[]): Promise<void> {
  const resume = (await isThere(checkpointPath(out))) ? ['--resume'] : [];
  let loss = 0;
  let finish: string | undefined;
  await puna(['train', '--model', model, '--out', out, '--device', 'cpu', ...args, ...resume], {
    log: `${out}.log`,
    onEvent({ type, step = 0, loss: each = 0, tokensPerSecond = 0, validationLoss, ...result }) {
      if (type === 'result') finish = result.finish;
      if (type === 'validation')
        console.log(`step ${step}: loss of what is held out ${(validationLoss ?? 0).toFixed(3)}`);
      if (type !== 'step') return;
      loss += each;
      if (step % loggedSteps !== 0) return;
      console.log(
        `step ${step}: loss ${(loss / loggedSteps).toFixed(3)}, ${Math.round(tokensPerSecond)} tokens/s`,
      );
      loss = 0;
    },
  });
  if (finish !== 'done') throw new Error('Training was stopped. Started again, it goes on where it was.');
}

const loggedSteps = 100;

function options(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
