import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package of others that is part of what people get. */
export interface ShippedPackage {
  name: string;
  version: string;
  /** As the package says, mostly an SPDX expression; empty where it says nothing. */
  licence: string;
  /** The text of its licence and notices; null where it comes with none. */
  text: string | null;
}

interface LockedPackage {
  dev?: boolean;
  devOptional?: boolean;
}

interface PackageFile {
  name?: string;
  version?: string;
  license?: string | { type?: string };
}

/** Folders of the packages that running Puna takes and that are installed, relative to the root, as package-lock.json has them. */
export function neededFolders(root: string): string[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional }]) => folder !== '' && !dev && !devOptional)
    .map(([folder]) => folder)
    .filter((folder) => existsSync(join(root, folder)));
}

/** The folder of the package that a module belongs to, which a bundler knows by its path; null for our own. */
export function folderOfModule(root: string, id: string): string | null {
  // Bundlers put marks before paths and questions behind them.
  const path = id.replace(/^\0/, '').replace(/\?.*$/, '').replaceAll('\\', '/');
  const from = `${root.replaceAll('\\', '/')}/`;
  if (!path.startsWith(from)) return null;
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path.slice(from.length))?.[0] ?? null;
}

/** What the packages in these folders say of themselves, each once, by name. */
export function readPackages(root: string, folders: Iterable<string>): ShippedPackage[] {
  const packages = new Map<string, ShippedPackage>();
  for (const folder of folders) {
    const file = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as PackageFile;
    const { name = folder, version = '', license = '' } = file;
    const text = licenceText(join(root, folder));
    const said = typeof license === 'string' ? license : (license.type ?? '');
    // Some say it by their text alone.
    const licence = said === '' && text?.startsWith('MIT License') ? 'MIT' : said;
    packages.set(`${name}@${version}`, { name, version, licence, text });
  }
  return [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function licenceText(folder: string): string | null {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice)/i.test(entry.name))
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) return null;
  return names.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
}
