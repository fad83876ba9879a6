import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { findMistaken, type Mistaken } from './mistaken.ts';
import { runPickle } from './pickle.ts';
import type { PickleValue } from './pickle-value.ts';
import { quoted } from './printable.ts';
import { stateDictOf } from './pytorch-state-dict.ts';
import { Gathering, type StoredNumbers, tensorOfView } from './pytorch-tensor.ts';
import { pytorchWorld } from './pytorch-world.ts';
import type { Tensor } from './tensor.ts';
import {
  type Contents,
  type OpenOptions,
  openTensorFile,
  type TensorFile,
  type TensorFileOrigin,
} from './tensor-file.ts';
import { readZip, type ZipEntry } from './zip-archive.ts';

/** Longest description of tensors that is read; that of the largest models takes a few megabytes. */
const maxPickleBytes = 64 * 1024 * 1024;

/**
 * Opens a PyTorch checkpoint (`torch.save` since PyTorch 1.6: pytorch_model.bin, .pt, .pth), which may come from a stranger: its
 * pickle runs on a machine that can only describe tensors, and every size and offset is checked against the archive. The tensors
 * are those of the state dict in it, in its order; all else is ignored. Views that are not contiguous are read as if they were,
 * which takes the memory of one such tensor at a time. A source that is given is closed with the file.
 * Errors: `file-damaged`, `unsupported-model` (it wants to run code, or has tensors that Puna does not read), `invalid-input`
 * (another kind of file), `file-missing`.
 */
export function openPytorch(origin: TensorFileOrigin, options: OpenOptions = {}): Promise<TensorFile> {
  return openTensorFile(origin, options, readContents);
}

async function readContents(source: ByteSource, name: string): Promise<Contents> {
  await checkKind(source, name);
  const files = await readZip(source, name);
  const { root, pickle } = findCheckpoint(files, name);
  await checkByteOrder(source, files.get(`${root}byteorder`), name);
  const value = runPickle(await readPickle(source, pickle, name), pytorchWorld(name), (what) =>
    damagedFile(name, what),
  );
  return { metadata: new Map(), tensors: await readTensors(value, { source, files, root, name }) };
}

async function readTensors(
  value: PickleValue,
  file: { source: ByteSource; files: ReadonlyMap<string, ZipEntry>; root: string; name: string },
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  const places = new Map<ZipEntry, StoredNumbers>();
  const gathering = new Gathering();
  for (const [tensorName, view] of stateDictOf(value, file.name)) {
    const entry = file.files.get(`${file.root}data/${view.storage.key}`);
    if (!entry) {
      throw damagedFile(file.name, `the numbers of the tensor ${quoted(tensorName)} are not in it`);
    }
    const place = places.get(entry) ?? { start: await entry.start(), bytes: entry.size };
    places.set(entry, place);
    tensors.set(
      tensorName,
      tensorOfView(tensorName, view, { source: file.source, fileName: file.name, place, gathering }),
    );
  }
  checkOverlaps([...places.values()], file.name);
  return tensors;
}

function checkOverlaps(places: readonly StoredNumbers[], name: string): void {
  let end = 0;
  for (const { start, bytes } of places.toSorted((one, other) => one.start - other.start)) {
    if (start < end) throw damagedFile(name, 'files in it lie over each other');
    end = start + bytes;
  }
}

/** The pickle, and the folder in the archive that has everything, with the slash at its end. */
function findCheckpoint(
  files: ReadonlyMap<string, ZipEntry>,
  name: string,
): { root: string; pickle: ZipEntry } {
  const pickles = [...files.values()].filter((entry) => /^[^/]+\/data\.pkl$/.test(entry.name));
  const [pickle, second] = pickles;
  if (!pickle) {
    throw new PunaError(
      'invalid-input',
      `${name} is a ZIP archive, but not one of PyTorch.`,
      'If it is an archive with models in it, unpack it and choose one of them.',
    );
  }
  if (second) {
    throw damagedFile(name, `it has two checkpoints, ${quoted(pickle.name)} and ${quoted(second.name)}`);
  }
  const root = pickle.name.slice(0, pickle.name.indexOf('/') + 1);
  if (files.has(`${root}constants.pkl`)) {
    throw new PunaError(
      'unsupported-model',
      `${name} is a TorchScript program, not only a model's tensors.`,
      'Save the tensors alone: torch.save(torch.jit.load("in.pt").state_dict(), "out.pt").',
    );
  }
  return { root, pickle };
}

async function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined, name: string): Promise<void> {
  // Older versions of PyTorch write none, and were only ever used on little-endian machines.
  if (!entry) return;
  const bytes = Buffer.alloc(Math.min(entry.size, 'little'.length));
  await source.read(bytes, await entry.start());
  const order = bytes.toString('latin1');
  if (order === 'little') return;
  if (order !== 'big') throw damagedFile(name, `its byte order is ${quoted(order)}`);
  throw new PunaError(
    'unsupported-model',
    `${name} was made for big-endian machines.`,
    'Look for the usual, little-endian file of this model.',
  );
}

async function readPickle(source: ByteSource, entry: ZipEntry, name: string): Promise<Uint8Array> {
  if (entry.size > maxPickleBytes) {
    throw damagedFile(name, `its pickle has ${entry.size} bytes, more than the ${maxPickleBytes} allowed`);
  }
  // Checks that so many bytes are there, too.
  const start = await entry.start();
  const bytes = new Uint8Array(entry.size);
  if ((await source.read(bytes, start)) < bytes.byteLength) {
    throw damagedFile(name, 'it ends inside its pickle');
  }
  return bytes;
}

const saveAnew =
  'Save it anew with a current PyTorch: torch.save(torch.load("in.bin", weights_only=True), "out.bin").';

/** What people take for a checkpoint of PyTorch, by its first bytes. */
const mistaken: readonly Mistaken[] = [
  // A pickle of the number that begins each of these files.
  {
    start: '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19',
    is: "a checkpoint in PyTorch's format from before version 1.6",
    remedy: saveAnew,
  },
  { start: '\x80', is: 'a Python pickle', remedy: saveAnew },
  { start: 'GGUF', is: 'a GGUF model', remedy: 'Choose it where a GGUF model is asked for.' },
];

async function checkKind(source: ByteSource, name: string): Promise<void> {
  const start = Buffer.alloc(zipMagic.length);
  await source.read(start, 0);
  if (start.toString('latin1') === zipMagic) return;
  if (source.size === 0) {
    throw new PunaError('invalid-input', `${name} is empty.`, 'Download or copy the file again.');
  }
  const found = (await isTar(source))
    ? { is: "a checkpoint in PyTorch's oldest format, a tar archive", remedy: saveAnew }
    : await findMistaken(source, mistaken);
  if (found) {
    throw new PunaError(
      'invalid-input',
      `${name} is ${found.is}, which Puna does not read as a PyTorch checkpoint.`,
      found.remedy,
    );
  }
  throw new PunaError(
    'invalid-input',
    `${name} is not a PyTorch checkpoint.`,
    'Choose a file that torch.save has written; its name usually ends in .bin, .pt or .pth.',
  );
}

const zipMagic = 'PK\x03\x04';
/** Where a tar archive says what it is. */
const tarMagic = { offset: 257, text: 'ustar' };

async function isTar(source: ByteSource): Promise<boolean> {
  const bytes = Buffer.alloc(tarMagic.text.length);
  await source.read(bytes, tarMagic.offset);
  return bytes.toString('latin1') === tarMagic.text;
}
