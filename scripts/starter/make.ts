/**
 * Makes the starter model and its samples from nothing, in an hour or two on one core: node scripts/starter/make.ts
 *   [--work DIR] [--out DIR] [--threads N] [--only prepare|train|samples|delta|evaluate]...
 * Stopped or killed, it goes on from its last checkpoint when it is started again.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Asked, evaluate } from './evaluate.ts';
import { freshQuestions, heldOutQuestions } from './held-out.ts';
import { lossCurve, sharesTable } from './report.ts';
import { makeDelta, prepare, phases, type Recipe, train, trainedBy, writeSamples } from './recipe.ts';
import { sampleFiles } from './samples.ts';

const stages = ['prepare', 'train', 'samples', 'delta', 'evaluate'] as const;
const { values } = parseArgs({
  options: {
    work: { type: 'string', default: join(tmpdir(), 'puna-starter') },
    out: { type: 'string', default: 'resources/starter' },
    threads: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [...stages] },
  },
});
const recipe: Recipe = {
  ...{ work: resolve(values.work), out: resolve(values.out) },
  threads: Number(values.threads),
};
const wanted = new Set(values.only);

// The same each time: what is there from an earlier try is written once more.
if (wanted.has('prepare')) await prepare(recipe);
if (wanted.has('train')) await train(recipe);
if (wanted.has('samples')) await writeSamples(recipe);
if (wanted.has('delta')) await makeDelta(recipe);
if (wanted.has('evaluate')) {
  await using asked = await Asked.open(join(recipe.out, sampleFiles.model));
  const marks = await evaluate(asked, heldOutQuestions());
  const logs = phases.map((phase) => readFile(`${trainedBy(phase, recipe)}.log`, 'utf8'));
  await writeFile(resolve('docs/starter-loss.svg'), lossCurve(await Promise.all(logs)));
  await writeFile(join(recipe.work, 'marks.json'), `${JSON.stringify(marks, null, 1)}\n`);
  console.log(sharesTable(marks));
  console.log(sharesTable(await evaluate(asked, freshQuestions())));
}
