import { basename, dirname } from 'node:path';
import type { EngineProcess, LaunchEngine } from './process.ts';
import { StderrTail } from './stderr-tail.ts';

/** What became of the processes of one engine since the start of Puna. */
export interface EngineRecord {
  /** Such as `inference-engine`. */
  name: string;
  running: number;
  starts: number;
  /** How often it ended without having been asked to. */
  deaths: number;
}

export interface EngineEnd {
  name: string;
  /** Null: it had been asked to end. */
  death: { code: number | null; signal: string | null; lastWords: string } | null;
}

/** The end of an engine, in words for a log. */
export function endText({ name, death }: EngineEnd): string {
  if (!death) return `${name} has ended.`;
  const { code, signal, lastWords } = death;
  const how = signal ?? (code === null ? 'it could not be started' : `status ${code}`);
  return `${name} stopped by itself (${how}). Its last words: ${lastWords || 'none'}`;
}

/** Keeps a list of the engines that are started, whoever starts them, and tells how they end. */
export class EngineRoster {
  readonly #records = new Map<string, EngineRecord>();
  readonly #onEnd: (end: EngineEnd) => void;

  constructor(onEnd: (end: EngineEnd) => void) {
    this.#onEnd = onEnd;
  }

  /** Those that have been started, by name. */
  get records(): EngineRecord[] {
    return [...this.#records.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Launches as `launch` does, and puts what it launches on the list. */
  keeping(launch: LaunchEngine): LaunchEngine {
    return (file) => {
      const name = engineName(file);
      const record = this.#records.get(name) ?? { name, running: 0, starts: 0, deaths: 0 };
      this.#records.set(name, record);
      record.starts++;
      const process = launch(file);
      record.running++;
      return this.#watched(process, record);
    };
  }

  #watched(process: EngineProcess, record: EngineRecord): EngineProcess {
    const tail = new StderrTail();
    let isAsked = false;
    process.onStderr((text) => tail.add(text));
    process.onExit((code, signal) => {
      record.running--;
      if (!isAsked) record.deaths++;
      const death = isAsked ? null : { code, signal, lastWords: tail.lastWords };
      this.#onEnd({ name: record.name, death });
    });
    return {
      get pid() {
        return process.pid;
      },
      send(message) {
        if (isStop(message)) isAsked = true;
        process.send(message);
      },
      onMessage: (listener) => process.onMessage(listener),
      onStderr: (listener) => process.onStderr(listener),
      onExit: (listener) => process.onExit(listener),
      kill: (signal) => process.kill(signal),
    };
  }
}

function isStop(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop';
}

/** The name of an engine by its file: `out/main/inference-engine.js`, or `src/main/inference/engine.ts`. */
function engineName(file: string): string {
  const name = basename(file);
  if (name !== 'engine.ts') return name.replace(/\.[jt]s$/, '');
  return `${basename(dirname(file)).replace(/-engine$/, '')}-engine`;
}
