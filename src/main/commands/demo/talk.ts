import { automaticLoadSettings, defaultSampling } from '../../../shared/contract/index.ts';
import { PunaError } from '../../../shared/error.ts';
import { Engine, launchChildProcess } from '../../engine/index.ts';
import type { InferenceJobs, LoadedModel } from '../../inference/messages.ts';

/** A small model that has lost its thread would go on to the end of its context. In tokens. */
const longest = 160;

export interface Answer {
  text: string;
  tokens: number;
  tokensPerSecond: number;
}

/** Asks models one question each time, and takes the likeliest words, so that what differs is what was taught. */
export class Talk {
  readonly #engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });
  readonly #signal: AbortSignal;
  readonly #threads: number | null;

  constructor({ signal, threads }: { signal: AbortSignal; threads: number | null }) {
    this.#signal = signal;
    this.#threads = threads;
  }

  /** Replaces the model that was asked before. Errors: those of the inference engine, `cancelled`. */
  load(path: string): Promise<LoadedModel> {
    const settings = { ...automaticLoadSettings, threads: this.#threads };
    return this.#engine.run('load', { path, settings }, { signal: this.#signal });
  }

  /** Errors: those of the inference engine, `cancelled`. */
  async ask(
    question: string,
    {
      adapter = null,
      onPiece = () => undefined,
    }: { adapter?: string | null; onPiece?: (piece: string) => void } = {},
  ): Promise<Answer> {
    let text = '';
    const { tokens, tokensPerSecond, finish } = await this.#engine.run(
      'reply',
      {
        ...{ systemPrompt: '', turns: [{ role: 'user', text: question }], continued: null },
        adapters: adapter === null ? [] : [{ path: adapter, scale: 1 }],
        sampling: { ...defaultSampling, temperature: 0, seed: 0, maxTokens: longest },
      },
      {
        signal: this.#signal,
        onEvent: (event) => {
          if (event.type !== 'piece' || event.part !== 'text') return;
          text += event.piece;
          onPiece(event.piece);
        },
      },
    );
    if (finish === 'stopped') throw new PunaError('cancelled', 'It was stopped before it was done.');
    return { text: text.trim(), tokens, tokensPerSecond };
  }

  stop(): Promise<void> {
    return this.#engine.stop();
  }
}
