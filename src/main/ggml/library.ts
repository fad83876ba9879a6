import koffi from 'koffi';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import {
  baseDeclarations,
  type Functions,
  koffiTypes,
  type NativeType,
  type Pointer,
  registryDeclarations,
} from './declarations.ts';
import { outsideArchive } from './outside-archive.ts';

/** The release of llama.cpp whose C API the declarations describe; another one may have moved it. */
const boundRelease = 'v0.4.0';

/** Which build of the libraries: node-llama-cpp has one per kind of GPU, and one without. */
export type LibraryKind = 'cpu' | 'cuda' | 'vulkan' | 'metal';

/** ggml as it is loaded into this process. */
export interface Library {
  readonly kind: LibraryKind;
  /** Where it lies. */
  readonly folder: string;
  readonly functions: Functions;
  /** Runs a graph on a thread of its own, so that the event loop goes on turning. Gives ggml's status, 0 when all went well. */
  compute(backend: Pointer<'backend'>, graph: Pointer<'graph'>): Promise<number>;
  /** Calls `void function(const void *, float *, int64_t)`, as a type's traits have it to turn its numbers into floats. */
  callToFloats(address: Pointer<'function'>, bytes: Uint8Array, floats: Float32Array, count: number): void;
  /** Calls `void function(backend, int)`, as backends have them beside the common API. */
  callWithNumber(address: Pointer<'function'>, backend: Pointer<'backend'>, value: number): void;
  /** Calls `ggml_backend_feature * function(registry)`; gives the features' names. */
  callForFeatures(address: Pointer<'function'>, registry: Pointer<'registry'>): ReadonlySet<string>;
  /** Calls `ggml_backend_buffer_type_t * function(device)`; gives what stands before the null at its end. */
  callForBufferTypes(address: Pointer<'function'>, device: Pointer<'device'>): Pointer<'buffer_type'>[];
}

const mismatch = 'Install Puna anew, or run npm ci in its folder.';
const buildMetadata = z.object({ buildOptions: z.object({ llamaCpp: z.object({ release: z.string() }) }) });

let opened: Library | null = null;

/**
 * Loads ggml once for this process; its backends register themselves globally, so that one kind must serve all who ask.
 * Errors: `internal` (the libraries are not there, of another release, or another kind was loaded before).
 */
export function openLibrary(kind: LibraryKind): Library {
  if (opened && opened.kind !== kind) {
    throw new PunaError('internal', `ggml is loaded for ${opened.kind} already, and ${kind} was asked for.`);
  }
  opened ??= load(kind, libraryFolder(kind));
  return opened;
}

/** The library that is loaded, or else one that is there, for what any of them can do. Errors: those of `openLibrary`. */
export function openAnyLibrary(): Library {
  // A Mac with Apple's processor has the one for Metal only.
  return opened ?? openLibrary(process.platform === 'darwin' && process.arch === 'arm64' ? 'metal' : 'cpu');
}

function load(kind: LibraryKind, folder: string): Library {
  checkRelease(folder);
  const base = koffi.load(findFile(folder, /^(lib)?ggml-base\.(so|dylib|dll)$/), { global: true });
  const registry = koffi.load(findFile(folder, /^(lib)?ggml(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/), {
    global: true,
  });
  defineTypes();
  const functions = {
    ...bind(base, baseDeclarations),
    ...bind(registry, registryDeclarations),
  } as unknown as Functions;
  // node-llama-cpp may have loaded the backends before us.
  if (functions.ggml_backend_dev_count() === 0) functions.ggml_backend_load_all_from_path(folder);

  const compute = base.func('ggml_backend_graph_compute', 'int', ['void *', 'void *']);
  const withNumber = koffi.proto('void puna_set_number(void *backend, int value)');
  const features = koffi.proto('void *puna_get_features(void *registry)');
  const bufferTypes = koffi.proto('void *puna_get_buffer_types(void *device)');
  const toFloats = koffi.proto('void puna_to_floats(void *numbers, void *floats, int64_t count)');
  return {
    kind,
    folder,
    functions,
    compute: (backend, graph) =>
      new Promise((resolve, reject) =>
        compute.async(backend, graph, (error: unknown, status: number) =>
          error ? reject(error as Error) : resolve(status),
        ),
      ),
    callToFloats: (address, bytes, floats, count) => koffi.call(address, toFloats, bytes, floats, count),
    callWithNumber: (address, backend, value) => koffi.call(address, withNumber, backend, value),
    callForFeatures: (address, registry) => readFeatures(koffi.call(address, features, registry) as bigint),
    callForBufferTypes: (address, device) =>
      readPointers(koffi.call(address, bufferTypes, device) as bigint) as Pointer<'buffer_type'>[],
  };
}

/** The names of a list of struct ggml_backend_feature, which ends with one that has none. */
function readFeatures(list: bigint): Set<string> {
  const names = new Set<string>();
  for (let offset = 0; ; offset += koffi.sizeof('ggml_backend_feature')) {
    const { name } = koffi.decode(list, offset, 'ggml_backend_feature') as { name: string | null };
    if (name === null) return names;
    names.add(name);
  }
}

/** Those of a list that ends with null. */
function readPointers(list: bigint): bigint[] {
  const pointers: bigint[] = [];
  for (let offset = 0; ; offset += koffi.sizeof('void *')) {
    const pointer = koffi.decode(list, offset, 'void *') as bigint | null;
    if (pointer === null) return pointers;
    pointers.push(pointer);
  }
}

let typesDefined = false;
function defineTypes(): void {
  if (typesDefined) return;
  typesDefined = true;
  koffi.struct('ggml_backend_feature', { name: 'str', value: 'str' });
  koffi.struct('ggml_init_params', { mem_size: 'size_t', mem_buffer: 'void *', no_alloc: 'bool' });
}

function bind(
  library: ReturnType<typeof koffi.load>,
  declarations: Record<string, readonly NativeType[]>,
): Record<string, unknown> {
  const koffiType = (type: NativeType) => koffiTypes[type] ?? 'void *';
  return Object.fromEntries(
    Object.entries(declarations).map(([name, [result, ...parameters]]) => {
      try {
        return [name, library.func(name, koffiType(result ?? 'void'), parameters.map(koffiType))];
      } catch (cause) {
        throw new PunaError('internal', `The bundled ggml has no function ${name}.`, mismatch, { cause });
      }
    }),
  );
}

function checkRelease(folder: string): void {
  const file = join(folder, '_nlcBuildMetadata.json');
  const { release } = buildMetadata.parse(JSON.parse(readFileSync(file, 'utf8'))).buildOptions.llamaCpp;
  if (release === boundRelease) return;
  throw new PunaError(
    'internal',
    `The bundled llama.cpp is release ${release}, and this Puna was made for ${boundRelease}.`,
    mismatch,
  );
}

/** The path of one of the libraries of a kind. Errors: `internal` (it is not there). */
export function libraryFile(kind: LibraryKind, pattern: RegExp): string {
  return findFile(libraryFolder(kind), pattern);
}

/** Where npm has put the libraries of this platform. */
function libraryFolder(kind: LibraryKind): string {
  const platform = { linux: 'linux', darwin: 'mac', win32: 'win' }[process.platform as string];
  const suffix = kind === 'cpu' ? '' : `-${kind}`;
  const name = `${platform ?? process.platform}-${process.arch}${suffix}`;
  // Beside node-llama-cpp, whose packages they are.
  const entry = createRequire(import.meta.url).resolve('node-llama-cpp');
  const folder = outsideArchive(join(dirname(entry), '..', '..', '@node-llama-cpp', name, 'bins', name));
  try {
    readdirSync(folder);
    return folder;
  } catch (cause) {
    throw new PunaError('internal', `The libraries for ${kind} are not installed: no ${name}.`, mismatch, {
      cause,
    });
  }
}

function findFile(folder: string, pattern: RegExp): string {
  const name = readdirSync(folder).find((file) => pattern.test(file));
  if (name) return join(folder, name);
  throw new PunaError('internal', `${folder} has no library like ${pattern.source}.`, mismatch);
}
