import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, type Tensor } from '../../src/main/weights/formats/tensor.ts';
import { safetensorsHeader } from '../../src/main/weights/formats/safetensors-writer.ts';
import { openShards } from '../../src/main/weights/formats/shard-index.ts';
import { filesOf, fixturePath } from './described-folders.ts';

/** A model, what is different in its folder, and what PyTorch computes with it in 32 bits (tests/fixtures/weights/logits/make.py). */
export interface LogitsCase {
  /** Its folder. */
  model: string;
  /** What its config.json has instead. */
  config: Record<string, unknown>;
  /** Tensors that are left out. */
  without: string[];
  /** The folder of its tokenizer; empty where that lies beside the model. */
  tokenizer: string;
  ids: number[];
  logits: ExpectedLogits[];
}

/** Of the token at a position: the first logits, and eight sums of all. */
interface ExpectedLogits {
  position: number;
  first: number[];
  sums: number[];
}

const fixtures = join(import.meta.dirname, '../fixtures/weights/logits');

export function logitsFixture(...parts: string[]): string {
  return join(fixtures, ...parts);
}

export const logitsCases = JSON.parse(readFileSync(logitsFixture('expected.json'), 'utf8')) as Record<
  string,
  LogitsCase
>;

export function logitsCase(name: string): LogitsCase {
  const found = logitsCases[name];
  if (!found) throw new Error(`There is no case ${name}.`);
  return found;
}

/** Makes a case's folder as Hugging Face has it, with one file of weights where tensors are left out or changed. */
export async function makeFolder(
  path: string,
  { model, config, without, tokenizer }: Pick<LogitsCase, 'model' | 'config' | 'without' | 'tokenizer'>,
  change?: (tensors: Map<string, MemoryTensor>) => void,
): Promise<string> {
  await mkdir(path, { recursive: true });
  const files = tokenizer === '' ? [logitsFixture('meta', 'tokenizer.model')] : tokenizerFiles(tokenizer);
  for (const file of files) await cp(file, join(path, file.slice(file.lastIndexOf('/') + 1)));
  const said = JSON.parse(await readFile(logitsFixture(model, 'config.json'), 'utf8')) as object;
  await writeFile(join(path, 'config.json'), JSON.stringify({ ...said, ...config }));
  if (without.length === 0 && !change) {
    for (const [name, from] of filesOf(logitsFixture(model))) {
      if (name !== 'config.json') await cp(from, join(path, name));
    }
    return path;
  }
  const tensors = await readTensors(logitsFixture(model));
  for (const name of without) tensors.delete(name);
  change?.(tensors);
  await writeSafetensors(join(path, 'model.safetensors'), tensors);
  return path;
}

function tokenizerFiles(folder: string): string[] {
  const others = ['config.json', 'expected.json'];
  return [...filesOf(fixturePath(folder))].flatMap(([name, path]) => (others.includes(name) ? [] : [path]));
}

/** A tensor's numbers in memory. */
export type MemoryTensor = Pick<Tensor, 'type' | 'shape'> & { bytes: Uint8Array };

async function readTensors(folder: string): Promise<Map<string, MemoryTensor>> {
  await using shards = await openShards(folder);
  const tensors = new Map<string, MemoryTensor>();
  for (const [name, tensor] of shards.tensors) {
    const bytes = new Uint8Array(bytesOf(tensor));
    await tensor.read(bytes, 0);
    tensors.set(name, { type: tensor.type, shape: tensor.shape, bytes });
  }
  return tensors;
}

async function writeSafetensors(path: string, tensors: ReadonlyMap<string, MemoryTensor>): Promise<void> {
  const described = [...tensors].map(([name, { type, shape }]) => ({ name, type, shape }));
  const header = safetensorsHeader(described, new Map([['format', 'pt']]));
  await writeFile(path, Buffer.concat([header, ...[...tensors.values()].map(({ bytes }) => bytes)]));
}

/** The furthest that logits are from those expected, relative to the largest of what they are compared with. */
export function distance(found: readonly Float32Array[], expected: readonly ExpectedLogits[]): number {
  const distances = expected.map(({ first, sums }, index) => {
    const logits = found[index] ?? new Float32Array();
    return Math.max(
      furthest(
        first.map((_, token) => logits[token] ?? NaN),
        first,
      ),
      furthest(
        sums.map((_, k) => weighedSum(logits, k)),
        sums,
      ),
    );
  });
  return distances.some(Number.isNaN) ? NaN : Math.max(...distances);
}

function furthest(found: readonly number[], expected: readonly number[]): number {
  const apart = found.map((value, index) => Math.abs(value - (expected[index] ?? NaN)));
  return Math.max(...apart) / Math.max(...expected.map(Math.abs));
}

function weighedSum(logits: Float32Array, k: number): number {
  return logits.reduce((sum, logit, token) => sum + logit * Math.cos((k + 1) * (token + 1)), 0);
}
