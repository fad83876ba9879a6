import type { Command } from 'commander';
import { formatInspection, inspect } from '../weights/inspect.ts';
import { Output, runCommand } from './output.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('say what a model or adapter file holds, without loading it')
    .argument('<path>', 'GGUF file')
    .option('--json', 'print JSON')
    .action((path: string, options: { json?: boolean }) =>
      runCommand(async () => {
        const output = new Output(options.json ?? false);
        const inspection = await inspect(path);
        output.text(`${formatInspection(inspection)}\n`);
        output.event({ type: 'result', ...inspection });
      }),
    );
}
