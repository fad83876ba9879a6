import type { HubFile } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import {
  chosenModel,
  fitsMemory,
  folderFiles,
  type GgufModel,
  ggufModels,
  recommend,
  type Repository,
  type RepositoryFile,
} from '../hub/index.ts';

/** A model of a repository, as the app offers it. */
export interface Offer extends Pick<HubFile, 'name' | 'quantization' | 'bytes' | 'recommended' | 'fits'> {
  files: RepositoryFile[];
  /** Folder of the repository that it keeps on this machine, because another model has the same file name; `''`: none. */
  subfolder: string;
}

/** The models of a repository that can be downloaded, by quantization, smallest first. Without `fits` their sizes tell whether they fit. */
export function offersOf(
  { files }: Pick<Repository, 'files'>,
  fits: (model: Pick<GgufModel, 'bytes' | 'quantization'>) => boolean = ({ bytes }) => fitsMemory(bytes),
): Offer[] {
  const found = ggufModels(files);
  const best = recommend(found, fits);
  const models = found.groups.flatMap((group) => group.models);
  const named = Map.groupBy(models, ({ name }) => name.toLowerCase());
  return models.map((model) => {
    const isOnlyOne = named.get(model.name.toLowerCase())?.length === 1;
    return { ...called(model, isOnlyOne), recommended: model === best, fits: fits(model) };
  });
}

function called(model: GgufModel, isOnlyOne: boolean): Omit<Offer, 'recommended' | 'fits'> {
  const { name, quantization, bytes, files } = model;
  const path = files[0]?.path ?? name;
  return {
    ...{ quantization, bytes, files },
    name: isOnlyOne ? name : path,
    subfolder: isOnlyOne ? '' : path.split('/').slice(0, -1).join('/'),
  };
}

/** The one that an order names, by its name, its path or its quantization. Errors: those of `chosenModel`. */
export function chosenOffer(repository: Pick<Repository, 'id' | 'files'>, choice: string): Offer {
  const { files } = chosenModel(ggufModels(repository.files), { id: repository.id, choice });
  const path = files[0]?.path;
  const offer = offersOf(repository).find((each) => each.files[0]?.path === path);
  if (offer) return offer;
  throw new PunaError('not-found', `${repository.id} has no ${choice}.`, 'Choose another one.');
}

/** Weights as the page Weights takes them. */
const weights = /\.(safetensors|bin|pt|pth)$/i;

/** The repository as a folder of Hugging Face; null where it has no weights in that form. */
export function folderOffer({ files }: Pick<Repository, 'files'>): RepositoryFile[] | null {
  const useful = folderFiles(files);
  return useful.some(({ path }) => weights.test(path)) ? useful : null;
}
