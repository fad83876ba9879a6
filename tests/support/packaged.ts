import { extractAll, getRawHeader } from '@electron/asar';
import { Arch, build, Platform } from 'electron-builder';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import config from '../../electron-builder.config.ts';

/** An app as electron-builder has packed it. */
export interface PackagedApp {
  /** The program, which here is a stand-in. */
  program: string;
  /** What Electron calls `process.resourcesPath`. */
  resourcesPath: string;
  files: PackagedFile[];
}

export interface PackagedFile {
  /** Within the app, with `/`. */
  path: string;
  /** Whether it lies inside the archive, or beside it. */
  isInside: boolean;
}

/**
 * Packs the built app of this checkout for this Linux into a folder, by the same configuration as installers. Electron's program is a
 * stand-in with the same fuses, as the real one is not on every machine.
 */
export async function packApp(folder: string): Promise<PackagedApp> {
  const electronDist = join(folder, 'electron');
  await makeStandIn(electronDist);
  const output = join(folder, 'packed');
  const arch = process.arch === 'arm64' ? Arch.arm64 : Arch.x64;
  await build({
    targets: Platform.LINUX.createTarget('dir', arch),
    config: { ...config, electronDist, directories: { ...config.directories, output } },
    publish: 'never',
  });
  const unpacked = join(output, arch === Arch.arm64 ? 'linux-arm64-unpacked' : 'linux-unpacked');
  const resourcesPath = join(unpacked, 'resources');
  const { header } = getRawHeader(join(resourcesPath, 'app.asar'));
  return { program: join(unpacked, 'puna'), resourcesPath, files: filesOf(header, '') };
}

/**
 * Lays the app out as its own code sees it from inside Electron, which shows an archive as a folder. Gives back that folder; what lies
 * beside the archive lies beside it.
 */
export async function layOut({ resourcesPath }: PackagedApp, folder: string): Promise<string> {
  const archive = join(folder, 'app.asar');
  extractAll(join(resourcesPath, 'app.asar'), archive);
  for (const name of ['app.asar.unpacked', 'resources']) {
    await symlink(join(resourcesPath, name), join(folder, name));
  }
  return archive;
}

/** Where Electron keeps its fuses: this mark, version, count, and a digit for each. */
const fuseMark = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** As Electron itself is delivered. */
const fusesAsDelivered = '101001011';

async function makeStandIn(folder: string): Promise<void> {
  await mkdir(join(folder, 'locales'), { recursive: true });
  const program = join(folder, 'electron');
  await writeFile(
    program,
    Buffer.concat([
      Buffer.from(`#!/bin/sh\n# ${fuseMark}`),
      Buffer.from([1, fusesAsDelivered.length]),
      Buffer.from(`${fusesAsDelivered}\n`),
    ]),
  );
  await chmod(program, 0o755);
  for (const language of ['en-US', 'ko', 'de'])
    await writeFile(join(folder, 'locales', `${language}.pak`), '');
}

interface Entry {
  files?: Record<string, Entry>;
  unpacked?: boolean;
}

function filesOf({ files, unpacked = false }: Entry, path: string): PackagedFile[] {
  if (!files) return [{ path, isInside: !unpacked }];
  return Object.entries(files).flatMap(([name, entry]) =>
    filesOf(entry, path === '' ? name : `${path}/${name}`),
  );
}
