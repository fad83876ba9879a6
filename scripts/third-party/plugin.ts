import type { Plugin } from 'vite';
import { folderOfModule, neededFolders, readPackages } from './packages.ts';
import { thirdPartyText } from './text.ts';

/** The file beside the page that says whose work Puna holds; src/renderer shows it. */
const fileName = 'third-party.txt';

/**
 * Writes down the licences of all that is shipped: of packages that are bundled, which only a bundler knows, and of those that are needed
 * at run time. One build of Puna is several of Vite's; each takes a plugin of the same collection, and `emits` says which is the last.
 */
export class ThirdParty {
  readonly #root: string;
  readonly #folders: Set<string>;

  constructor(root: string) {
    this.#root = root;
    this.#folders = new Set(neededFolders(root));
  }

  plugin({ emits = false } = {}): Plugin {
    const [root, folders] = [this.#root, this.#folders];
    return {
      name: 'puna:third-party',
      apply: 'build',
      generateBundle() {
        for (const id of this.getModuleIds()) {
          const folder = folderOfModule(root, id);
          if (folder !== null) folders.add(folder);
        }
        if (!emits) return;
        this.emitFile({ type: 'asset', fileName, source: thirdPartyText(readPackages(root, folders)) });
      },
    };
  }
}
