import { type Command, Option } from 'commander';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { readSampleFiles, resourcesFolder, starterFile } from '../starter/index.ts';
import { fileError } from '../storage/index.ts';
import { integer, resourcesOption } from './arguments.ts';
import { Talk } from './demo/talk.ts';
import { Walk } from './demo/walk.ts';
import { type DemoLanguage, demoLanguages, demoWords, terminalLanguage } from './demo/words.ts';
import { Output, runCommand } from './output.ts';

interface DemoOptions {
  out?: string;
  language?: DemoLanguage;
  threads?: number;
  resources?: string;
  json?: boolean;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('see Puna chat, teach, compare and apply a delta, with the small model that comes with it')
    .option('--out <dir>', 'keep what is made; without it, everything is removed')
    .addOption(new Option('--language <language>', 'absent: that of the terminal').choices(demoLanguages))
    .option('--threads <n>', 'CPU threads', integer({ min: 1, max: 512 }))
    .addOption(resourcesOption())
    .option('--json', 'print JSON lines')
    .action((options: DemoOptions) => runCommand((signal) => demo(options, signal)));
}

async function demo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const resources = options.resources ?? resourcesFolder();
  if (resources === null) {
    throw new PunaError('file-missing', 'Nothing comes with this Puna to show.', 'Install Puna again.');
  }
  const samples = await readSampleFiles(resources);
  const output = new Output(options.json ?? false);
  const threads = options.threads ?? null;
  const language = options.language ?? terminalLanguage();
  const words = demoWords[language];
  const startedAt = performance.now();
  const work = await mkdtemp(join(tmpdir(), 'puna-demo-'));
  const talk = new Talk({ signal, threads });
  try {
    const results = options.out === undefined ? work : await madeFolder(resolve(options.out));
    const folders = { results, work };
    const model = starterFile(resources);
    const walk = new Walk({
      ...{ model, samples, talk, output, words, language, folders, threads, signal },
    });
    output.text(`${words.title}\n`);
    await walk.chat();
    const { adapter, firstLoss, lastLoss } = await walk.teach();
    const answers = await walk.compare(adapter);
    const { result, compared } = await walk.delta();
    const next = await walk.model();
    const seconds = (performance.now() - startedAt) / 1000;
    output.text(`\n${words.end(words.duration(seconds))}\n`);
    if (options.out !== undefined) output.text(`${words.kept(results)}\n`);
    output.event({
      ...{ type: 'result', seconds, firstLoss, lastLoss, answers },
      ...{ proof: result.proof, delta: compared, model: next },
      out: options.out === undefined ? null : results,
    });
  } finally {
    await talk.stop();
    await rm(work, { recursive: true, force: true });
  }
}

async function madeFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true }).catch((thrown: unknown) => {
    throw fileError(thrown, folder);
  });
  return folder;
}
