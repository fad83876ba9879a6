import { t } from './i18n.svelte.ts';
import type { FileOfGroup } from './upload.ts';

/** A file or folder that was let go on the page. */
export interface Dropped {
  name: string;
  /** Where it lies, if that is known: only the desktop tells. */
  path: string | null;
  /** The file itself, or those of the folder. Errors: what the browser says, or too many files. */
  files: () => Promise<FileOfGroup[]>;
}

/** Which files of a folder are meant. */
export interface FolderLook {
  /** Those of the folders in it, too. */
  below: boolean;
  wanted: (name: string) => boolean;
}

/** More are no folder of somebody's notes, and sending them one by one takes longer than anyone waits. */
const mostFiles = 10_000;

/** People nest some ten deep; deeper ones are made by programs. */
const mostDepth = 40;

/** Folders of programs, not of people. */
const foreignFolder = /^(\..*|node_modules|__pycache__|__MACOSX)$/;

const sideBySide: FolderLook = { below: false, wanted: () => true };

/** What was let go. To be called while the event lasts: afterwards a browser tells nothing of folders any more. */
export function droppedThings(
  files: readonly File[],
  transfer: DataTransfer,
  look: FolderLook = sideBySide,
): Dropped[] {
  if (window.puna) return files.map((file) => single(file));
  return [...transfer.items].flatMap((item): Dropped[] => {
    const entry = item.webkitGetAsEntry();
    if (entry && isFolder(entry)) {
      return [{ name: entry.name, path: null, files: () => filesOf(entry, look) }];
    }
    const file = item.getAsFile();
    return file ? [single(file)] : [];
  });
}

/** A file by itself. */
export function single(file: File): Dropped {
  const { name } = file;
  return { name, path: window.puna?.pathForFile(file) || null, files: async () => [{ name, file }] };
}

async function filesOf(folder: FileSystemDirectoryEntry, { below, wanted }: FolderLook) {
  const files: FileOfGroup[] = [];
  const visit = async (from: FileSystemDirectoryEntry, place: string, depth: number): Promise<void> => {
    for (const entry of await entriesOf(from)) {
      const name = place + entry.name;
      if (isFile(entry) && wanted(entry.name)) {
        if (files.length === mostFiles) throw new Error(t('datasets.tooManyFiles', { limit: mostFiles }));
        files.push({ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
      } else if (below && isFolder(entry) && depth < mostDepth && !foreignFolder.test(entry.name)) {
        await visit(entry, `${name}/`, depth + 1);
      }
    }
  };
  await visit(folder, '', 0);
  return files;
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // A browser gives a hundred at a time.
    const more = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (more.length === 0) return entries;
    entries.push(...more);
  }
}

// By what they say of themselves: not every browser has the names of their classes.
function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
