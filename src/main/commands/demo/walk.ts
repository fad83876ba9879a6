import { styleText } from 'node:util';
import { PunaError } from '../../../shared/error.ts';
import type { SampleFiles } from '../../starter/index.ts';
import { freePath } from '../../storage/index.ts';
import { count, size } from '../../weights/figures.ts';
import type { WeightsResult } from '../../weights/messages.ts';
import { readModelFile } from '../../weights/model-file.ts';
import type { Output } from '../output.ts';
import { TrainingProgress } from '../train-progress.ts';
import { runOperation } from '../weights-run.ts';
import { nextModel } from './next-model.ts';
import type { Talk } from './talk.ts';
import { teach } from './teach.ts';
import type { DemoLanguage, DemoWords } from './words.ts';

/** So many questions of each kind: the walk takes two minutes. */
const mostAsked = { chat: 2, taught: 4, delta: 2 };

export interface WalkOptions {
  /** The starter model. */
  model: string;
  samples: SampleFiles;
  talk: Talk;
  output: Output;
  words: DemoWords;
  language: DemoLanguage;
  /** Where adapter and model go, and where all else goes. */
  folders: { results: string; work: string };
  threads: number | null;
  signal: AbortSignal;
}

/** A question with two answers, and the right one where there is one. */
export interface Comparison {
  question: string;
  expected: string | null;
  before: string;
  after: string;
}

/** The stations of the walk, one after the other as the tour in the app has them. */
export class Walk {
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /** The starter model answers what it can be asked. */
  async chat(): Promise<void> {
    const { model, samples, talk, output, words, language } = this.#options;
    this.#begin('chat');
    const [file, loaded] = await Promise.all([readModelFile(model), talk.load(model)]);
    output.event({ type: 'loaded', path: model, ...loaded });
    const facts = [words.weights(count(file.parameters ?? 0)), size(file.bytes), loaded.device];
    output.text(`Puna Starter: ${facts.join(', ')}\n`);
    for (const each of samples.questions.chat.slice(0, mostAsked.chat)) {
      const question = each[language];
      output.text(`\n${words.you}: ${question}\nPuna Starter: `);
      const answer = await talk.ask(question, { onPiece: (piece) => output.text(piece) });
      const perSecond = Math.round(answer.tokensPerSecond);
      output.text(`\n${words.speed({ tokens: answer.tokens, perSecond })}\n`);
      output.event({ type: 'answer', station: 'chat', question, ...answer });
    }
  }

  /** Teaches it the chats; gives the adapter, and the losses of the first and the last step. */
  async teach(): Promise<{ adapter: string; firstLoss: number | null; lastLoss: number | null }> {
    const { model, samples, output, words, folders, threads, signal } = this.#options;
    this.#begin('teach');
    const chats = present(samples.chats).path;
    const progress = new TrainingProgress(output);
    const out = await freePath(folders.results, 'chats-adapter.gguf');
    let firstLoss: number | null = null;
    const result = await teach(
      { model, chats, out, threads, folder: folders.work },
      {
        onSuggestion: ({ settings, steps, validationExamples: held }, { conversations, texts }) => {
          const { rank, epochs, learningRate } = settings;
          output.text(`${words.data({ conversations: conversations - held, texts, held })}\n`);
          output.text(`${words.settings({ rank, epochs, learningRate, steps })}\n`);
          output.event({ type: 'suggestion', settings, steps, conversations, texts, held });
        },
        onEvent: (event) => {
          output.event({ ...event });
          if (event.type === 'step') firstLoss ??= event.loss;
          progress.show(event);
        },
      },
      signal,
    );
    output.note('\n');
    const { loss, validationLoss, baseValidationLoss, seconds } = result;
    const figure = (value: number | null) => value?.toFixed(2) ?? '?';
    output.text(
      `${words.taught({ time: words.duration(seconds), from: figure(firstLoss), to: figure(loss) })}\n`,
    );
    if (validationLoss !== null && baseValidationLoss !== null) {
      output.text(`${words.measured({ from: figure(baseValidationLoss), to: figure(validationLoss) })}\n`);
    }
    const adapter = result.last ?? result.adapter;
    output.event({ type: 'taught', ...result, firstLoss });
    return { adapter, firstLoss, lastLoss: loss };
  }

  /** Asks what is in the chats, with and without what was taught. */
  async compare(adapter: string): Promise<Comparison[]> {
    const { samples, talk, output, words, language } = this.#options;
    this.#begin('compare');
    output.text(`${words.unknown}\n`);
    const compared: Comparison[] = [];
    for (const { question, answer } of samples.questions.taught.slice(0, mostAsked.taught)) {
      const asked = { question: question[language], expected: answer[language] };
      const { text: before } = await talk.ask(asked.question);
      const { text: after } = await talk.ask(asked.question, { adapter });
      compared.push(this.#compared('compare', { ...asked, before, after }));
    }
    const right = (of: 'before' | 'after') => compared.filter((each) => each[of] === each.expected).length;
    output.text(
      `\n${words.right({ before: right('before'), after: right('after'), all: compared.length })}\n`,
    );
    return compared;
  }

  /** Makes the model of base and delta, with its proof, and asks both. */
  async delta(): Promise<{ result: WeightsResult; compared: Comparison[] }> {
    const { samples, talk, output, words, language, folders, signal } = this.#options;
    this.#begin('delta');
    output.text(`${words.delta}\n`);
    const { base, path: delta } = present(samples.delta);
    const out = await freePath(folders.results, 'base-and-delta.gguf');
    const questions = samples.questions.delta.slice(0, mostAsked.delta).map((each) => each[language]);
    await talk.load(base);
    const before = await this.#answers(questions);
    const result = await runOperation(
      { kind: 'delta-apply', base, delta, out, type: null, anyBase: false },
      { output, signal },
    );
    output.event({ type: 'applied', ...result });
    await talk.load(out);
    const after = await this.#answers(questions);
    const compared = questions.map((question, index) =>
      this.#compared('delta', {
        ...{ question, expected: null },
        ...{ before: before[index] ?? '', after: after[index] ?? '' },
      }),
    );
    return { result, compared };
  }

  /** Says how to get a real model. */
  async model(): Promise<{ repository: string; quantization: string } | null> {
    const { output, words, language, folders } = this.#options;
    this.#begin('model');
    const best = await nextModel({ folder: folders.work, language });
    if (best) {
      const { name, license, gigabytes, why, repository, quantization } = best;
      output.text(`${words.best({ name, license, size: size(gigabytes * 1e9) })}\n${why[language]}\n`);
      output.text(`${words.get}\n  puna models pull ${repository}:${quantization}\n`);
    } else output.text(`${words.noneFits}\n`);
    output.text(`${words.open}\n  puna serve\n`);
    return best && { repository: best.repository, quantization: best.quantization };
  }

  #begin(station: keyof DemoWords['stations']): void {
    const { output, words, signal } = this.#options;
    signal.throwIfAborted();
    output.text(`\n${styleText('bold', words.stations[station])}\n\n`);
    output.event({ type: 'station', station });
  }

  async #answers(questions: readonly string[]): Promise<string[]> {
    const answers: string[] = [];
    for (const question of questions) answers.push((await this.#options.talk.ask(question)).text);
    return answers;
  }

  #compared(station: 'compare' | 'delta', comparison: Comparison): Comparison {
    const { output, words } = this.#options;
    const labels = station === 'compare' ? [words.before, words.after] : [words.base, words.applied];
    const width = Math.max(...labels.map(columns));
    const [first = '', second = ''] = labels.map((label) => label + ' '.repeat(width - columns(label)));
    const isRight = comparison.after === comparison.expected ? ' ✓' : '';
    const [before, after] = [comparison.before, comparison.after].map((text) => text.replaceAll(/\s+/g, ' '));
    output.text(
      `\n${words.you}: ${comparison.question}\n  ${first}  ${before}\n  ${second}  ${after}${isRight}\n`,
    );
    output.event({ type: 'compared', station, ...comparison });
    return comparison;
  }
}

/** Columns of a terminal: Korean letters take two. */
function columns(text: string): number {
  return [...text].reduce((sum, letter) => sum + (/\p{Script=Hangul}/u.test(letter) ? 2 : 1), 0);
}

function present<Sample>(sample: Sample | null): Sample {
  if (sample) return sample;
  throw new PunaError(
    'file-missing',
    'The samples that come with Puna are not there.',
    'Install Puna again.',
  );
}
