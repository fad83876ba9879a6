import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import type { Snippet } from '../../shared/contract/index.ts';
import { databaseFile, History, openDatabase } from '../history/index.ts';
import { dataFolder, type FolderLock, lockDataFolder, writeAtomically } from '../storage/index.ts';
import { integer } from './arguments.ts';
import { Output, runCommand, writeToStdout } from './output.ts';

interface Common {
  data?: string;
  json?: boolean;
}

export function addHistory(program: Command): void {
  const history = program.command('history').description('search, export and import conversations');

  history
    .command('search')
    .description('find words in all conversations, best first')
    .argument('<words...>')
    .option('--limit <n>', 'how many', integer({ min: 1, max: 100 }), 20)
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((words: string[], options: Common & { limit: number }) =>
      runCommand(async () => withHistory(options, (opened) => search(opened, words.join(' '), options))),
    );

  history
    .command('export')
    .description('write one or all conversations')
    .option('--out <file>', 'file to write; without it standard output')
    .option('--format <format>', 'markdown or json', 'json')
    .option('--conversation <id>', 'only this one', integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
    .option('--data <dir>', 'data folder')
    .action((options: Common & { out?: string; format: string; conversation?: number }, command: Command) => {
      const { format, conversation, out } = options;
      if (format !== 'json' && format !== 'markdown') command.error('error: --format is markdown or json');
      else
        return runCommand((signal) =>
          withHistory(options, async (opened) => {
            const pieces = opened.exportHistory({
              format,
              ...(conversation !== undefined && { conversationId: conversation }),
            });
            if (out) await writeAtomically(resolve(out), pieces, { signal });
            else await writeToStdout(pieces, signal);
          }),
        );
    });

  history
    .command('import')
    .description('add what was exported as JSON')
    .argument('<file>')
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((file: string, options: Common) =>
      runCommand((signal) =>
        withHistory({ ...options, create: true }, async (opened) => {
          const output = new Output(options.json ?? false);
          const counts = await opened.importHistory(resolve(file), { signal });
          output.text(`${counts.conversations} conversations with ${counts.messages} messages imported\n`);
          output.event({ type: 'result', ...counts });
        }),
      ),
    );
}

async function withHistory(
  { data, create }: Common & { create?: boolean },
  use: (history: History) => Promise<void> | void,
): Promise<void> {
  const folder = dataFolder(data);
  const file = databaseFile(folder);
  if (!create && !existsSync(file)) {
    throw new PunaError(
      'not-found',
      `There is no history in ${folder}.`,
      'Name another data folder with --data.',
    );
  }
  const lock = create ? lockUnlessRunning(folder) : null;
  try {
    const database = openDatabase(file);
    try {
      await use(new History(database));
    } finally {
      database.close();
    }
  } finally {
    lock?.release();
  }
}

/**
 * Keeps Puna from starting while an import writes: it would take what it finds half done for the remains of one that died.
 * A Puna that runs already has cleared those away, and is no danger.
 */
function lockUnlessRunning(folder: string): FolderLock | null {
  try {
    return lockDataFolder(folder);
  } catch (thrown) {
    if (thrown instanceof PunaError && thrown.code === 'already-running') return null;
    throw thrown;
  }
}

function search(history: History, query: string, { limit, json }: { limit: number; json?: boolean }): void {
  const output = new Output(json ?? false);
  const { hits } = history.search({ query, cursor: null, limit });
  for (const hit of hits) {
    output.text(`${hit.title || 'Untitled'} (${hit.conversationId})\n  ${plain(hit.snippet)}\n`);
    output.event({ type: 'hit', ...hit });
  }
  if (hits.length === 0) output.text('Nothing found.\n');
  output.event({ type: 'result', hits: hits.length });
}

/** The snippet on one line; what was found stands in bold where the terminal can show it. */
function plain(snippet: Snippet): string {
  const [bold, normal] = process.stdout.isTTY ? ['\u001b[1m', '\u001b[22m'] : ['', ''];
  const marked = snippet.map(({ text, match }) => (match ? `${bold}${text}${normal}` : text)).join('');
  return marked.replaceAll(/\s+/g, ' ');
}
