#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { addChat } from './commands/chat.ts';
import { addHistory } from './commands/history.ts';
import { addInspect } from './commands/inspect.ts';
import { exitStatus } from './commands/output.ts';
import { addServe } from './commands/serve.ts';

const program = new Command('puna')
  .description('Chat with a language model on your own computer.')
  .version(packageFile.version)
  .exitOverride();

addServe(program);
addChat(program);
addInspect(program);
addHistory(program);

try {
  await program.parseAsync();
} catch (thrown) {
  // Commander has printed help, version or what was wrong with the words.
  if (!(thrown instanceof CommanderError)) throw thrown;
  process.exitCode = thrown.exitCode === 0 ? exitStatus.done : exitStatus.wrongUsage;
}
