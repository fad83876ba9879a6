import type { Dataset, LeftOut } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import type { ImportEvent, ImportResult, NewExample } from '../dataset-engine/messages.ts';
import { Live, type LiveOptions } from '../runs/index.ts';
import { noExamples } from './stored-datasets.ts';

/** A dataset that waits to be made, or is being made. */
export class LiveDataset extends Live<Dataset> {
  /** A person has stopped it; otherwise it goes on after the next start. */
  cancelled = false;
  readonly #now: () => number;

  constructor(dataset: Dataset, options: LiveOptions<Dataset>) {
    super(dataset, options);
    this.#now = options.now;
  }

  /** Its turn has come, and what was read before is not there any more. */
  beginImport(): void {
    this.change({
      ...this.#begun(0),
      ...{ counts: noExamples, leftOut: [], cleaned: null, sampledFrom: null },
    });
  }

  /** Its turn has come, and what was written before stays. */
  beginGrowing(counts: Dataset['counts']): void {
    this.change({ ...this.#begun(counts.conversations + counts.texts), counts });
  }

  /** How far it is: as an import tells, or a model that writes. */
  tell(progress: Partial<Omit<ImportEvent, 'type'>>): void {
    const last = this.value.progress ?? { share: null, examples: 0, current: '' };
    this.changeSoon({ progress: { ...last, ...progress } });
  }

  /** A model has written an example. */
  count({ content }: NewExample): void {
    const { counts } = this.value;
    const kind = content.kind === 'text' ? 'texts' : 'conversations';
    this.tell({ examples: counts.conversations + counts.texts + 1 });
    this.changeSoon({ counts: { ...counts, [kind]: counts[kind] + 1 }, changedAt: this.#now() });
  }

  /** What a model has written was left out. */
  leaveOut(reason: string): void {
    this.changeSoon({ leftOut: withOneMore(this.value.leftOut, reason) });
  }

  /** It is made. */
  succeed(result: Pick<ImportResult, 'counts'> & Partial<ImportResult>): void {
    this.settle({
      ...{ ...result, state: 'ready', progress: null, error: null, fingerprint: null },
      changedAt: this.#now(),
    });
  }

  /** It was stopped, failed, or waits for the next start of the program. */
  end(state: 'waiting' | 'stopped' | 'failed', error: PunaError | null = null): void {
    this.settle({
      ...{ state, progress: null },
      error: error && { code: error.code, message: error.message, remedy: error.remedy },
    });
  }

  #begun(examples: number): Partial<Dataset> {
    return { state: 'working', error: null, progress: { share: null, examples, current: '' } };
  }
}

function withOneMore(leftOut: readonly LeftOut[], reason: string): LeftOut[] {
  const known = leftOut.some((entry) => entry.reason === reason);
  if (!known) return [...leftOut, { reason, count: 1 }];
  return leftOut.map((entry) => (entry.reason === reason ? { ...entry, count: entry.count + 1 } : entry));
}
