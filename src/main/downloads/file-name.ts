import { join } from 'node:path';
import { PunaError } from '../../shared/error.ts';

/** Names that Windows keeps for devices, with whatever ending. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
/** File systems hold 255 bytes; what is hidden beside a file while it arrives has a longer name. */
const mostNameBytes = 220;

/**
 * The place of a file in a folder, by a name from outside. A name that could lead elsewhere is refused and not repaired: whoever
 * sends one means no good. Errors: `invalid-input`.
 */
export function placeIn(folder: string, name: string): string {
  if (isPlain(name)) return join(folder, name);
  throw refused(name);
}

/** The same for a file of a repository, which may lie in folders (`Q4_K_M/model.gguf`). */
export function placeBelow(folder: string, path: string): string {
  const parts = path.split('/');
  if (parts.every(isPlain)) return join(folder, ...parts);
  throw refused(path);
}

function isPlain(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    // Control characters and what some system takes for a separator, a drive or a stream.
    // eslint-disable-next-line no-control-regex
    !/[/\\:*?"<>|\u0000-\u001f\u007f]/.test(name) &&
    !/[. ]$/.test(name) &&
    !devices.test(name) &&
    Buffer.byteLength(name) <= mostNameBytes
  );
}

function refused(name: string): PunaError {
  return new PunaError(
    'invalid-input',
    `A file called ${JSON.stringify(name.slice(0, 200))} is not downloaded: its name could lead out of its folder.`,
    'Choose another repository, and tell its owner or the hub.',
  );
}
