import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import type {
  InferenceJobs,
  LoadedModel,
  ReplyEvent,
  ReplyInput,
  ReplyResult,
} from '../../src/main/inference/messages.ts';
import {
  automaticLoadSettings,
  defaultSampling,
  type LoadSettings,
  type Sampling,
} from '../../src/shared/contract/index.ts';

/** Sampling that always takes the likeliest token and nothing else into account. */
export const greedy: Sampling = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1 },
  ...{ seed: 1, maxTokens: 16 },
};

export interface Said extends ReplyResult {
  text: string;
  thinking: string;
  events: ReplyEvent[];
}

export type Question = string | ReplyInput['turns'];

export interface Asking extends Partial<ReplyInput> {
  signal?: AbortSignal;
  onEvent?: (event: ReplyEvent) => void;
}

/** A real inference engine, with fewer words. */
export class TestEngine {
  readonly engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });

  load(path: string, settings: Partial<LoadSettings> = {}): Promise<LoadedModel> {
    return this.engine.run('load', { path, settings: { ...automaticLoadSettings, ...settings } });
  }

  async ask(question: Question, { signal, onEvent, ...rest }: Asking = {}): Promise<Said> {
    const said = { text: '', thinking: '', events: [] as ReplyEvent[] };
    const input: ReplyInput = {
      systemPrompt: '',
      turns: typeof question === 'string' ? [{ role: 'user', text: question }] : question,
      ...{ continued: null, adapters: [], sampling: { ...defaultSampling, seed: 1, maxTokens: 24 } },
      ...rest,
    };
    const result = await this.engine.run('reply', input, {
      ...(signal && { signal }),
      onEvent: (event) => {
        said.events.push(event);
        if (event.type === 'piece') said[event.part] += event.piece;
        onEvent?.(event);
      },
    });
    return { ...result, ...said };
  }

  stop(): Promise<void> {
    return this.engine.stop();
  }
}

/** Texts in turn by the person and the model. */
export function turns(...texts: string[]): ReplyInput['turns'] {
  return texts.map((text, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', text }));
}
