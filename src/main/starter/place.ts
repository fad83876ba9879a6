import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The folder of what comes with Puna: that of the sources; beside `out`, in a checkout and in the npm package; or beside the archive
 * that a packaged program lies in, since llama.cpp reads no files within archives. Null where there is none.
 */
export function resourcesFolder(from: string = import.meta.url): string | null {
  const places = from.endsWith('.ts') ? ['../../../resources'] : ['../../resources', '../../../resources'];
  const folders = places.map((place) => fileURLToPath(new URL(place, from)));
  // Electron shows what lies within its archive as if it were files, without the model.
  return folders.find((folder) => !/\.asar[\\/]/.test(folder) && existsSync(folder)) ?? null;
}
