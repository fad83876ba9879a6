import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { serveEngine } from '../../src/main/engine/serve-engine.ts';
import { PunaError } from '../../src/shared/error.ts';

/** An engine for tests of supervision: it does nothing useful, in many ways. */
export type SampleJobs = {
  echo: { input: { text: string }; event: { seen: string }; result: { text: string; pid: number } };
  refuse: { input: null; event: never; result: null };
  die: { input: { words: string }; event: never; result: null };
  /** Holds the event loop, as native code may. */
  block: { input: { ms: number }; event: never; result: null };
  wait: { input: null; event: { waiting: true }; result: { cancelled: true } };
};

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

serveEngine<SampleJobs>(
  {
    async echo({ text }, { emit }) {
      emit({ seen: text });
      return Promise.resolve({ text, pid: process.pid });
    },
    refuse: () =>
      Promise.reject(new PunaError('out-of-memory', 'There is too little memory.', 'Close something.')),
    async die({ words }) {
      writeSync(2, `loading…\n${words}\n`);
      await setTimeout(50);
      process.abort();
    },
    async block({ ms }) {
      block(ms);
      return Promise.resolve(null);
    },
    async wait(_, { signal, emit }) {
      emit({ waiting: true });
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { cancelled: true };
    },
  },
  () => Promise.resolve(),
);
