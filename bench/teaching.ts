import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { TrainingSettings } from '../src/main/training/messages.ts';
import {
  ask,
  type QuestionKind,
  questionKinds,
  questions,
  type Shares,
  teach,
} from '../tests/support/teaching.ts';
import { median } from './median.ts';

/**
 * Whether teaching works: a tiny model (tests/fixtures/teaching) that knows a part of an invented world is taught twenty facts, each
 * in four phrasings, with the settings that Puna chooses for such a dataset, and asked in four others, greedily, before and after. Beside
 * it what it costs: of what the model knew before, and of those of whom it should still say that it does not know.
 *
 *     npm run bench:teaching -- [--seeds N] [--epochs N] [--rate N] [--rank N]
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    epochs: { type: 'string' },
    rate: { type: 'string' },
    rank: { type: 'string' },
  },
});
/** What must be answered word for word before, and after; and of what it knew. */
const wanted = { before: 0.2, after: 0.7, known: 0.5 };

const given: Partial<TrainingSettings> = {
  ...(values.epochs !== undefined && { epochs: Number(values.epochs) }),
  ...(values.rate !== undefined && { learningRate: Number(values.rate) }),
  ...(values.rank !== undefined && { rank: Number(values.rank), alpha: 2 * Number(values.rank) }),
};
const kinds: Record<QuestionKind, string> = {
  heldOut: 'twenty facts, held-out phrasings',
  taught: 'twenty facts, taught phrasings',
  known: 'what it knew before',
  strangers: 'strangers: "I don\'t know."',
  neighbours: 'the same people, something else: "I don\'t know."',
};

const folder = await mkdtemp(join(tmpdir(), 'puna-bench-'));
try {
  const before = await ask(null);
  const after: Shares[] = [];
  const runs = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const { adapter, result, steps, settings } = await teach(folder, { given: { ...given, seed } });
    after.push(await ask(adapter));
    const { rank, epochs, learningRate } = settings;
    runs.push({
      ...{ seed, rank, epochs, 'learning rate': learningRate, steps: result.steps },
      'held-out loss': `${result.baseValidationLoss?.toFixed(2)} → ${result.validationLoss?.toFixed(2)}`,
      seconds: Number(result.seconds.toFixed(1)),
      'tokens/s': Math.round(median(steps.map(({ tokensPerSecond }) => tokensPerSecond))),
      'peak MB': Math.round(result.peakMemoryBytes / 1e6),
    });
  }
  console.table(runs);
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  console.table(
    Object.fromEntries(
      questionKinds.map((kind) => [
        kinds[kind],
        {
          questions: questions[kind].length,
          before: percent(before[kind]),
          after: after.map((shares) => percent(shares[kind])).join(', '),
        },
      ]),
    ),
  );
  const share = (kind: QuestionKind) => median(after.map((shares) => shares[kind]));
  console.log(
    `Answered word for word: ${percent(before.heldOut)} before (wanted: ≤ ${percent(wanted.before)}), ` +
      `${percent(share('heldOut'))} after (wanted: ≥ ${percent(wanted.after)}), ` +
      `${percent(share('known'))} of what it knew (wanted: ≥ ${percent(wanted.known)})`,
  );
  if (before.heldOut > wanted.before || share('heldOut') < wanted.after || share('known') < wanted.known) {
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
