import { Command, CommanderError } from 'commander';
import packageFile from '../../../package.json' with { type: 'json' };
import { addAdapter } from './adapter.ts';
import { addChat } from './chat.ts';
import { addConvert } from './convert.ts';
import { addDataset } from './dataset.ts';
import { addDelta } from './delta.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addHistory } from './history.ts';
import { addInspect } from './inspect.ts';
import { addMerge } from './merge.ts';
import { addModels } from './models.ts';
import { exitStatus } from './output.ts';
import { addQuantize } from './quantize.ts';
import { addServe } from './serve.ts';
import { addServers } from './servers.ts';
import { addTrain } from './train.ts';

/** Every command with its options. What is wrong with the words, or asks for help, is thrown as a `CommanderError`. */
export function commandLine(): Command {
  const program = new Command('puna')
    .description('Chat with a language model on your own computer.')
    .version(packageFile.version)
    .exitOverride();

  addServe(program);
  addDemo(program);
  addModels(program);
  addServers(program);
  addChat(program);
  addTrain(program);
  addDataset(program);
  addInspect(program);
  addDelta(program);
  addAdapter(program);
  addMerge(program);
  addConvert(program);
  addQuantize(program);
  addHistory(program);
  addDoctor(program);
  return program;
}

/** Reads the words that the process was started with and does what they say. */
export async function runProgram(): Promise<void> {
  try {
    await commandLine().parseAsync();
  } catch (thrown) {
    // Commander has printed help, version or what was wrong with the words.
    if (!(thrown instanceof CommanderError)) throw thrown;
    process.exitCode = thrown.exitCode === 0 ? exitStatus.done : exitStatus.wrongUsage;
  }
}
