import { readFile } from 'node:fs/promises';
import { type GgufValue, readGguf, writeGguf } from '../../src/main/weights/formats/gguf.ts';

/** Writes a small GGUF file anew, with other metadata or without a tensor: what Puna's reader lets pass and llama.cpp may not. */
export async function rewrite(
  from: string,
  to: string,
  { metadata = [], without }: { metadata?: [string, GgufValue][]; without?: string },
): Promise<void> {
  const file = await readGguf(from);
  const bytes = await readFile(from);
  const tensors = file.tensors
    .filter(({ name }) => name !== without)
    .map(({ name, type, shape, offset, bytes: length }) => {
      const begin = file.dataOffset + offset;
      return { name, type: type.name, shape, data: bytes.subarray(begin, begin + length) };
    });
  await writeGguf(to, { metadata: new Map([...file.metadata, ...metadata]), tensors });
}
