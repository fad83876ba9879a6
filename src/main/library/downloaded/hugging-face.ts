import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { walk, type Walked, type WalkOptions } from '../walk.ts';
import { dataFolders, type Machine } from './places.ts';

/**
 * The cache of huggingface_hub: HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`, on all systems.
 * https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export function huggingFaceFolders(machine: Machine): string[] {
  const { join } = dataFolders(machine);
  const { env, home } = machine;
  const cache = env['XDG_CACHE_HOME'] || join(home, '.cache');
  const hub = env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'];
  return [hub || join(env['HF_HOME'] || join(cache, 'huggingface'), 'hub')];
}

/**
 * What is in the cache: `models--<owner>--<name>/snapshots/<commit>/` has links into `blobs`, or copies where a system has no links. The
 * commit that `refs/main` names goes first, so that what is in several of them is taken from there.
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export async function findHuggingFace(cache: string, options: WalkOptions = {}): Promise<Walked> {
  const walked: Walked = { found: [], folders: [cache], isCut: false, others: [] };
  const entries = await readdir(cache);
  for (const entry of entries.filter((name) => name.startsWith('models--'))) {
    const repository = join(cache, entry);
    const snapshots = join(repository, 'snapshots');
    walked.folders.push(repository, snapshots);
    const name = entry.split('--').slice(1).join('/');
    for (const commit of await commitsOf(repository)) {
      const folder = join(snapshots, commit);
      const snapshot = await walk(folder, options).catch(() => null);
      options.signal?.throwIfAborted();
      if (!snapshot) continue;
      walked.folders.push(...snapshot.folders);
      walked.isCut ||= snapshot.isCut;
      const named = snapshot.found.map((found) => (found.path === folder ? { ...found, name } : found));
      walked.found.push(...named);
    }
  }
  return walked;
}

/** Those of which there are snapshots: that of `main`, then the others, newest first. */
async function commitsOf(repository: string): Promise<string[]> {
  const snapshots = join(repository, 'snapshots');
  const commits = await readdir(snapshots).catch((): string[] => []);
  const main = await readFile(join(repository, 'refs', 'main'), 'utf8').catch(() => '');
  const dated = await Promise.all(
    commits.map(async (commit) => {
      const found = await stat(join(snapshots, commit)).catch(() => null);
      return { commit, time: commit === main.trim() ? Infinity : (found?.mtimeMs ?? 0) };
    }),
  );
  return dated.toSorted((a, b) => b.time - a.time).map(({ commit }) => commit);
}
