import { stat } from 'node:fs/promises';
import type { Model } from '../../shared/contract/index.ts';
import type { Library } from '../library/index.ts';
import { type AdapterBase, adapterBase, type FittedAdapter, refuseUnfit } from '../weights/adapters/fit.ts';
import { readModelFile } from '../weights/model-file.ts';
import { ApiError } from './api-error.ts';
import type { Speaker } from './turns.ts';

/** What an adapter must be held against, or is. Files' vocabularies are much to keep, so that they are left behind. */
interface Described {
  base: AdapterBase;
  adapter: FittedAdapter;
}

/** The models of the library as programs name them: by name, and `base+adapter` for adapters that fit their base. */
export class ApiModels {
  readonly #library: Pick<Library, 'list'>;
  /** By path, size and time: reading a file's description takes a moment, and every request wants some. */
  readonly #described = new Map<string, Promise<Described>>();

  constructor(library: Pick<Library, 'list'>) {
    this.#library = library;
  }

  async list(): Promise<{ id: string; addedAt: number }[]> {
    const { models, adapters } = await this.#named();
    const all: { id: string; addedAt: number }[] = [];
    for (const [id, model] of models) {
      all.push({ id, addedAt: model.addedAt });
      for (const [name, adapter] of adapters) {
        if (!(await this.#fits(adapter, model))) continue;
        all.push({ id: `${id}+${name}`, addedAt: Math.max(model.addedAt, adapter.addedAt) });
      }
    }
    return all;
  }

  /** Errors: an `ApiError` for what is not among them. */
  async find(name: string): Promise<Speaker> {
    const { models, adapters } = await this.#named();
    const model = models.get(name);
    if (model) return { model, adapters: [] };
    for (const [base, each] of models) {
      if (!name.startsWith(`${base}+`)) continue;
      const adapter = adapters.get(name.slice(base.length + 1));
      if (adapter && (await this.#fits(adapter, each))) {
        return { model: each, adapters: [{ path: adapter.path, scale: 1 }] };
      }
    }
    throw new ApiError(
      404,
      `Puna has no model of the name "${name}"; GET /v1/models lists those that it has.`,
      {
        ...{ param: 'model', code: 'model_not_found' },
      },
    );
  }

  async #named(): Promise<{ models: Map<string, Model>; adapters: Map<string, Model> }> {
    const present = (await this.#library.list()).filter(({ missing }) => !missing);
    return {
      models: named(present.filter(({ kind }) => kind === 'model')),
      adapters: named(present.filter(({ kind }) => kind === 'adapter')),
    };
  }

  async #fits(adapter: Model, model: Model): Promise<boolean> {
    if (adapter.architecture !== model.architecture) return false;
    try {
      const [own, other] = await Promise.all([this.#describe(adapter.path), this.#describe(model.path)]);
      refuseUnfit(own.adapter, other.base, { anyBase: false });
      return true;
    } catch {
      // Neither does one whose file cannot be read.
      return false;
    }
  }

  async #describe(path: string): Promise<Described> {
    const { size, mtimeMs } = await stat(path);
    const key = JSON.stringify([path, size, mtimeMs]);
    const known = this.#described.get(key);
    if (known) return known;
    const described = readModelFile(path).then(describe);
    this.#described.set(key, described);
    // Whoever waits for it has its error; the next one reads it again.
    described.catch(() => this.#described.delete(key));
    return described;
  }
}

function describe(file: Awaited<ReturnType<typeof readModelFile>>): Described {
  const own = [...file.metadata].filter(([key]) => !key.startsWith('tokenizer.'));
  const tensors = file.tensors.map(({ name, shape }) => ({ name, shape }));
  const { path, kind, architecture } = file;
  return {
    base: adapterBase(file),
    adapter: { path, kind, architecture, tensors, metadata: new Map(own) },
  };
}

/** By name; those that share theirs have their number behind it. */
function named(models: readonly Model[]): Map<string, Model> {
  const times = new Map<string, number>();
  for (const { name } of models) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(
    models.map((model) => [times.get(model.name) === 1 ? model.name : `${model.name} (${model.id})`, model]),
  );
}
