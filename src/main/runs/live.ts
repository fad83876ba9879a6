/** How often windows are told of what changes all the time, in milliseconds. */
const tellEvery = 250;
/** How often that is saved, in milliseconds; what a power cut takes is lost to the picture, not to the work. */
const saveEvery = 5_000;

export interface LiveOptions<Value> {
  save: (value: Value) => void;
  tell: (value: Value) => void;
  /** ms since 1970 */
  now: () => number;
}

/** Work that waits or is being done, as it changes from moment to moment: each change is saved and told. */
export class Live<Value extends { id: number; state: string }> {
  /** Aborted when it is to stop. */
  readonly controller = new AbortController();
  readonly #options: LiveOptions<Value>;
  readonly #ended = Promise.withResolvers<undefined>();
  #value: Value;
  #telling: NodeJS.Timeout | null = null;
  #savedAt = 0;

  constructor(value: Value, options: LiveOptions<Value>) {
    this.#value = value;
    this.#options = options;
  }

  get value(): Value {
    return this.#value;
  }

  get waiting(): boolean {
    return this.#value.state === 'waiting';
  }

  /** Resolves when it neither waits nor is being done any more. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** Changes it, saves that, and tells it at once. */
  change(patch: Partial<Value>): void {
    this.#value = { ...this.#value, ...patch };
    this.#save();
    this.#tell();
  }

  /** The last change, after which nobody waits for it any more. */
  protected settle(patch: Partial<Value>): void {
    this.change(patch);
    this.#ended.resolve(undefined);
  }

  /** Changes it, and tells and saves that with what follows within a moment. */
  protected changeSoon(patch: Partial<Value>): void {
    this.#value = { ...this.#value, ...patch };
    this.#telling ??= setTimeout(() => this.#tell(), tellEvery);
    if (this.#options.now() - this.#savedAt >= saveEvery) this.#save();
  }

  /** A database that refuses ends no work: the next change tries again. */
  #save(): void {
    this.#savedAt = this.#options.now();
    try {
      this.#options.save(this.#value);
    } catch (thrown) {
      console.error(thrown);
    }
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    this.#options.tell(this.#value);
  }
}
