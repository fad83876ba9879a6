import { fileURLToPath } from 'node:url';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import type { SampleJobs } from './sample-engine.ts';

/** A program with an engine, to be killed by a test: prints the engine's process, and has it block if asked. */
const file = fileURLToPath(new URL('sample-engine.ts', import.meta.url));
const engine = new Engine<SampleJobs>({ entry: { file }, launch: launchChildProcess });
const { pid } = await engine.run('echo', { text: '' });
if (process.argv[2] === 'block') void engine.run('block', { ms: 60_000 });
setTimeout(() => console.log(pid), 200);
