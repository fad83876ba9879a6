import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The engines: name of the bundled file, and source below src/main. */
const sources = {
  'dataset-engine': 'dataset-engine/engine.ts',
  'inference-engine': 'inference/engine.ts',
  'machine-engine': 'machine-engine/engine.ts',
  'training-engine': 'training/engine.ts',
  'weights-engine': 'weights/engine.ts',
} as const;
export type EngineName = keyof typeof sources;

/** The file that runs an engine: its source while this runs from the sources, else the bundle beside main's own. */
export function entryFile(name: EngineName): string {
  const here = dirname(fileURLToPath(import.meta.url));
  if (import.meta.url.endsWith('.ts')) return join(here, '..', sources[name]);
  const bundled = `${name}.js`;
  // The bundler may put what several entries share into a folder of its own.
  return [join(here, bundled), join(here, '..', bundled)].find(existsSync) ?? join(here, bundled);
}
