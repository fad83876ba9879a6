import type { Command } from 'commander';
import { resolve } from 'node:path';
import { Output, runCommand } from './output.ts';
import { runOperation, typeOption } from './weights-run.ts';

interface ConvertOptions {
  out: string;
  type?: string;
  json?: boolean;
}

export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('make a GGUF file of a model in the form of Hugging Face or Meta')
    .argument('<from>', 'folder with the weights, config.json or params.json, and the tokenizer')
    .requiredOption('--out <file>', 'GGUF file to write, or a folder for the form of Hugging Face')
    .addOption(typeOption())
    .option('--json', 'print JSON lines')
    .action((from: string, options: ConvertOptions) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        const { out, type = null } = options;
        const result = await runOperation(
          { kind: 'convert', from: resolve(from), out: resolve(out), type },
          { output, signal },
        );
        output.event({ type: 'result', ...result });
      }),
    );
}
