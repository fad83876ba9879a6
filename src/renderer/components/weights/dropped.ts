/** A file or folder that was let go on the page. */
export interface Dropped {
  name: string;
  /** Where it lies, if that is known: only the desktop tells. */
  path: string | null;
  /** The file itself, or those of the folder. */
  files: () => Promise<File[]>;
}

/** What was let go. To be called while the event lasts: afterwards a browser tells nothing of folders any more. */
export function droppedThings(files: readonly File[], transfer: DataTransfer): Dropped[] {
  if (window.puna) return files.map((file) => single(file));
  return [...transfer.items].flatMap((item): Dropped[] => {
    const entry = item.webkitGetAsEntry();
    if (entry && isFolder(entry)) return [{ name: entry.name, path: null, files: () => filesOf(entry) }];
    const file = item.getAsFile();
    return file ? [single(file)] : [];
  });
}

/** Files that were picked: models of one file each by themselves, others together, as of one folder. */
export function pickedThings(files: readonly File[]): Dropped[] {
  const alone = files.filter(({ name }) => files.length === 1 || /\.gguf$/i.test(name));
  const together = files.filter((file) => !alone.includes(file));
  const [first] = together;
  return [
    ...alone.map((file) => single(file)),
    ...(first ? [{ name: first.name, path: null, files: async () => together }] : []),
  ];
}

function single(file: File): Dropped {
  return { name: file.name, path: window.puna?.pathForFile(file) || null, files: async () => [file] };
}

/** The files of a folder, without those of the folders in it: weights lie side by side. */
async function filesOf(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // A browser gives a hundred at a time.
    const more = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (more.length === 0) break;
    entries.push(...more);
  }
  const files = entries.filter(isFile);
  return Promise.all(
    files.map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))),
  );
}

// By what they say of themselves: not every browser has the names of their classes.
function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
