/** Pickles and checkpoints made byte by byte, for those that Python would not write. */

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint16 = (value: number) => uint32(value).subarray(0, 2);
const uint64 = (value: number) => Buffer.concat([uint32(value), uint32(0)]);

export const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from('X'), uint32(Buffer.byteLength(value)), Buffer.from(value)]);
export const integer = (value: number): Buffer => Buffer.concat([Buffer.from('J'), uint32(value >>> 0)]);
export const tuple = (...items: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
export const named = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`);
export const called = (callable: Buffer, ...args: Buffer[]): Buffer =>
  Buffer.concat([callable, tuple(...args), Buffer.from('R')]);
export const dict = (...entries: [key: Buffer, value: Buffer][]): Buffer =>
  Buffer.concat([Buffer.from('}('), ...entries.flat(), Buffer.from('u')]);

export function storage(numbers: number, key = '0', type = 'FloatStorage'): Buffer {
  const id = tuple(text('storage'), named('torch', type), text(key), text('cpu'), integer(numbers));
  return Buffer.concat([id, Buffer.from('Q')]);
}

export function tensor(from: Buffer, offset: number, shape: number[], strides: number[]): Buffer {
  return called(
    ...[named('torch._utils', '_rebuild_tensor_v2'), from, integer(offset)],
    ...[tuple(...shape.map(integer)), tuple(...strides.map(integer)), Buffer.from('\x89', 'latin1'), dict()],
  );
}

export const pickled = (...operations: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('\x80\x02', 'latin1'), ...operations, Buffer.from('.')]);

export interface ZipFile {
  name: string;
  bytes: Buffer;
  method?: number;
  /** 1 for an encrypted file. */
  flags?: number;
  /** Instead of where it is. */
  offset?: number;
}

/** Of an encrypted file, beside its contents. */
const encryptionBytes = 12;

/** A ZIP archive of files as they are; ZIP64 keeps sizes and places in 64 bits, as if they were too large for 32. */
export function zipped(files: readonly ZipFile[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const here = () => Buffer.concat(parts).length;
  for (const { name, bytes, method = 0, flags = 0, offset = here() } of files) {
    const path = Buffer.from(name);
    const sizes = [bytes.length, bytes.length - (flags & 1 ? encryptionBytes : 0)];
    const shared = [uint16(20), uint16(flags), uint16(method), uint32(0), uint32(0)];
    const local = [...shared, ...sizes.map(uint32), uint16(path.length), uint16(0)];
    parts.push(Buffer.concat([Buffer.from('PK\x03\x04'), ...local, path, bytes]));
    const extra = zip64 ? [uint16(1), uint16(24), ...[...sizes.toReversed(), offset].map(uint64)] : [];
    const places = [...sizes, offset].map((size) => uint32(zip64 ? 0xffff_ffff : size));
    const lengths = [path.length, Buffer.concat(extra).length, 0, 0, 0].map(uint16);
    const entry = [
      ...shared,
      ...places.slice(0, 2),
      ...lengths,
      uint32(0),
      ...places.slice(2),
      path,
      ...extra,
    ];
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), uint16(20), ...entry]));
  }
  const [start, entries] = [here(), Buffer.concat(directory)];
  parts.push(entries);
  if (zip64) {
    const record = here();
    const numbers = [files.length, files.length, entries.length, start].map(uint64);
    parts.push(Buffer.concat([Buffer.from('PK\x06\x06'), uint64(44), uint32(0), uint64(0), ...numbers]));
    parts.push(Buffer.concat([Buffer.from('PK\x06\x07'), uint32(0), uint64(record), uint32(1)]));
  }
  const counts = [0, 0, files.length, files.length].map((count) => uint16(zip64 ? 0xffff : count));
  const places = [entries.length, start].map((size) => uint32(zip64 ? 0xffff_ffff : size));
  return Buffer.concat([...parts, Buffer.from('PK\x05\x06'), ...counts, ...places, uint16(0)]);
}

/** A checkpoint with this pickle and storages by their keys. */
export function checkpoint(pickle: Buffer, storages: Readonly<Record<string, Buffer>> = {}): Buffer {
  return zipped([
    { name: 'archive/data.pkl', bytes: pickle },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
  ]);
}
