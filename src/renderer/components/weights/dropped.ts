import { type Dropped, single } from '../../lib/dropped.ts';

/** Files that were picked: models of one file each by themselves, others together, as of one folder. */
export function pickedThings(files: readonly File[]): Dropped[] {
  const alone = files.filter(({ name }) => files.length === 1 || /\.gguf$/i.test(name));
  const together = files.filter((file) => !alone.includes(file));
  const [first] = together;
  const named = together.map((file) => ({ name: file.name, file }));
  return [
    ...alone.map((file) => single(file)),
    ...(first ? [{ name: first.name, path: null, files: async () => named }] : []),
  ];
}
