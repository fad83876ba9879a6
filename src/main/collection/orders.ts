import type { Dataset, GrowOrder, ImportOrder } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { expandHome, type Library } from '../library/index.ts';
import { quoted } from '../weights/formats/printable.ts';

/** An order with whole paths. */
export function checkImport(order: ImportOrder): ImportOrder {
  const sources = order.sources.map((source) =>
    source.from === 'file' ? { ...source, path: expandHome(source.path) } : source,
  );
  return { ...order, sources };
}

/** Errors: `not-found` (the model, the dataset), `invalid-input` (an adapter, a dataset without texts). */
export async function checkGrow(
  order: GrowOrder,
  { library, open }: { library: Pick<Library, 'get'>; open: (datasetId: number) => Dataset },
): Promise<GrowOrder> {
  const model = await library.get(order.modelId);
  if (model.kind !== 'model') {
    throw new PunaError('invalid-input', `${model.name} is an adapter.`, 'Choose a model.');
  }
  if (order.kind !== 'pairs') return order;
  const { name, counts } = open(order.datasetId);
  if (counts.texts > 0) return order;
  throw new PunaError(
    'invalid-input',
    `${quoted(name)} has no texts to make questions and answers of.`,
    'Choose a dataset of documents or texts.',
  );
}
