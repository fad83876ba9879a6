import { join } from 'node:path';
import { z } from 'zod';
import type { DownloadOrder } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { type Digest, placeBelow, type SetFile } from '../downloads/index.ts';
import type { Hub, Repository, RepositoryFile } from '../hub/index.ts';
import { chosenOffer, folderOffer, type Offer } from './offers.ts';

const digestSchema = z.union([z.object({ sha256: z.string() }), z.object({ gitBlob: z.string() })]);

/** What a download fetches: kept with it, so that it goes on with the same files when the repository has changed meanwhile. */
export const planSchema = z.object({
  revision: z.string(),
  /** The folder that the files go to, or that they make. */
  folder: z.string(),
  files: z.array(
    z.object({
      /** In the repository. */
      path: z.string(),
      /** In the folder, with `/` between folders. */
      name: z.string(),
      bytes: z.int().nonnegative(),
      digest: digestSchema.nullable(),
      /** Something of this name was there before: it is not the download's to remove. */
      wasThere: z.boolean(),
    }),
  ),
});
export type Plan = z.infer<typeof planSchema>;

/** What an order means, before it has a place. */
export interface Meant extends DownloadOrder {
  name: string;
  quantization: string | null;
  bytes: number;
  revision: string;
  files: { path: string; name: string; bytes: number; digest: Digest | null }[];
  /** Below the repository's own folder; `''`: there itself. */
  subfolder: string;
}

/** Reads an order: whatever way its file is named, the result says it in one. Errors: those of `chosenModel`, `not-found` (no weights). */
export function meantBy(repository: Repository, { file }: DownloadOrder): Meant {
  const { id, revision } = repository;
  if (file === null) return { ...wholeFolder(repository), repository: id, revision };
  const offer = chosenOffer(repository, file);
  return { ...model(offer), repository: id, revision };
}

function wholeFolder(repository: Repository): Omit<Meant, 'repository' | 'revision'> {
  const files = folderOffer(repository);
  if (!files) {
    throw new PunaError(
      'not-found',
      `${repository.id} has no weights as a folder of Hugging Face.`,
      'Choose one of its files, or another repository.',
    );
  }
  return {
    ...{ file: null, name: repository.id, quantization: null, subfolder: '', bytes: sum(files) },
    files: files.map((each) => ({ ...each, name: each.path })),
  };
}

/** The parts of a model may lie in a folder of the repository; here they are side by side. */
function model({
  name,
  quantization,
  bytes,
  files,
  subfolder,
}: Offer): Omit<Meant, 'repository' | 'revision'> {
  return {
    ...{ file: name, name, quantization, bytes, subfolder },
    files: files.map((each) => ({ ...each, name: lastOf(each.path) })),
  };
}

/** The folder among the models that something of a repository goes to. Errors: `invalid-input` (a name that leads out of it). */
export function modelFolder(
  modelsFolder: string,
  { repository, subfolder }: Pick<Meant, 'repository' | 'subfolder'>,
): string {
  return placeBelow(modelsFolder, subfolder ? `${repository}/${subfolder}` : repository);
}

/** What is opened of it: the model's first file, or the folder. */
export function resultPath(folder: string, { file, files }: Pick<Meant, 'file' | 'files'>): string {
  return file === null ? folder : join(folder, files[0]?.name ?? '');
}

/** A plan's files, as they are fetched. */
export function setFiles(hub: Hub, repository: string, { revision, files }: Plan): SetFile[] {
  return files.map(({ path, name, bytes, digest }) => ({
    ...{ name, bytes, digest },
    url: hub.fileAddress({ id: repository, revision }, path),
  }));
}

/** What the hub says of a file's content, in hexadecimal digits; null where it says something else. */
export function sha256Of({ digest }: Pick<RepositoryFile, 'digest'>): string | null {
  return digest && 'sha256' in digest ? digest.sha256.toLowerCase() : null;
}

export function sum(files: readonly Pick<RepositoryFile, 'bytes'>[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0);
}

export function lastOf(path: string): string {
  return path.split('/').at(-1) ?? '';
}
