import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TrainingRun } from '../../shared/contract/index.ts';
import { fileError, safeFileName } from '../storage/index.ts';
import { checkpointPath } from '../training/messages.ts';

/**
 * A path that no adapter ever had, `<title> <date> <n>.gguf`: llama.cpp keeps adapters by path, so that one in an old place
 * would go on as what was there before. `taken` has the paths of all runs, also of files that are gone since.
 */
export function newAdapterPath(
  folder: string,
  { title, now, taken }: { title: string; now: number; taken: readonly string[] },
): string {
  const stem = `${safeFileName(title)} ${dateText(now)} `;
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const numbers = [...there, ...taken.map((path) => basename(path))]
    .filter((name) => name.startsWith(stem))
    .map((name) => Number.parseInt(name.slice(stem.length), 10))
    .filter((number) => Number.isSafeInteger(number));
  return join(folder, `${stem}${Math.max(0, ...numbers) + 1}.gguf`);
}

/** What a run's adapter is called after: what a person called the run, else what it learns, else what it teaches. */
export function adapterTitle({
  name,
  datasets,
  modelName,
}: Pick<TrainingRun, 'name' | 'datasets' | 'modelName'>): string {
  return name || datasets.map((dataset) => dataset.name).join(', ') || modelName;
}

/** Gives a run that goes on in a new place what it goes on from. Errors: `disk-full`, and those of writing a file. */
export async function copyRunFiles(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    // The adapter too: it may be the best one so far, which is written anew only when there is a better one.
    for (const file of [(path: string) => path, checkpointPath]) {
      if (existsSync(file(from))) await copyFile(file(from), file(to));
    }
  } catch (thrown) {
    // No run will ask for one without the other.
    await removeRunFiles(to);
    throw fileError(thrown, to);
  }
}

/** Removes what a run has written: its result, that of its last step, its checkpoint, and copies for samples. */
export async function removeRunFiles(path: string): Promise<void> {
  await removeBeside(path, /^(-last)?\.gguf(\.checkpoint)?$|^\.sample-\d+\.gguf$/);
}

/** Whether a run can go on from where it was. What lies beside one that is done goes in a moment. */
export function hasCheckpoint({ state, adapterPath }: Pick<TrainingRun, 'state' | 'adapterPath'>): boolean {
  return state !== 'done' && existsSync(checkpointPath(adapterPath));
}

/** Removes what a run would go on from, once it is done. Errors: those of removing a file. */
export async function removeCheckpoint(path: string): Promise<void> {
  await remove(checkpointPath(path));
}

/** Removes copies of what a run taught that nobody asks any more. */
export async function removeSampleCopies(path: string): Promise<void> {
  await removeBeside(path, /^\.sample-\d+\.gguf$/);
}

/** Removes files of which the names go on like this where that of `path` has its `.gguf`. Errors: those of removing a file. */
async function removeBeside(path: string, rest: RegExp): Promise<void> {
  const stem = basename(path).replace(/\.gguf$/i, '');
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(stem) || !rest.test(name.slice(stem.length))) continue;
    await remove(join(dirname(path), name));
  }
}

async function remove(file: string): Promise<void> {
  await rm(file, { force: true }).catch((thrown: unknown) => {
    throw fileError(thrown, file);
  });
}

/** `2026-01-31`, where the person is. */
function dateText(time: number): string {
  const date = new Date(time);
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${date.getFullYear()}-${month}-${day}`;
}
