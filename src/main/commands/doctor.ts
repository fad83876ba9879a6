import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { Diagnostics } from '../diagnostics/index.ts';
import { launchChildProcess } from '../engine/index.ts';
import { databaseFile, historyVersion } from '../history/index.ts';
import { Machine } from '../machine/index.ts';
import { resourcesFault, resourcesPlace } from '../starter/index.ts';
import { dataFolder, makeFolder, readDatabaseFacts } from '../storage/index.ts';
import { exitStatus, Output, runCommand } from './output.ts';

interface DoctorOptions {
  check: boolean;
  data?: string;
  json?: boolean;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for faults, and print what a report of a problem needs; nothing private is in it')
    .option('--no-check', 'do not read through the whole database')
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((options: DoctorOptions) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        const folder = dataFolder(options.data);
        const file = databaseFile(folder);
        try {
          makeFolder(folder);
        } catch {
          // That is what the report tells of then.
        }
        const machine = new Machine({ dataFolder: folder, launchEngine: launchChildProcess });
        signal.addEventListener('abort', () => void machine.close());
        try {
          const diagnostics = new Diagnostics({
            ...{ dataFolder: folder, shell: 'terminal', machine, knownVersion: historyVersion },
            checkResources: () => resourcesFault(resourcesPlace()),
            // In this process: nobody waits for it meanwhile.
            readDatabase: async (asked) => (existsSync(file) ? readDatabaseFacts(file, asked) : null),
          });
          const told = await diagnostics.gather({ check: options.check });
          signal.throwIfAborted();
          output.text(told.report);
          output.event({ type: 'result', ...told });
          if (told.findings.some(({ isFault }) => isFault)) process.exitCode = exitStatus.failed;
        } finally {
          await machine.close();
        }
      }),
    );
}
