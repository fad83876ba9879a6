/** What the database has not taken, as when its disk is full: it counts as saved, and is saved as soon as that can be done. */
export class Unsaved<Value extends { id: number }> {
  readonly #values = new Map<number, Value>();
  readonly #save: (value: Value) => void;

  constructor(save: (value: Value) => void) {
    this.#save = save;
  }

  /** The newest of what has not been saved; undefined: all of it has. */
  get(id: number): Value | undefined {
    return this.#values.get(id);
  }

  /** Saves it, or keeps it until that can be done. Never throws. */
  keep(value: Value): void {
    try {
      this.save(value);
    } catch (thrown) {
      console.error(thrown);
      this.#values.set(value.id, value);
    }
  }

  /** Saves it. Errors: those of the database; then what was kept before stays. */
  save(value: Value): void {
    this.#save(value);
    this.forget(value.id);
  }

  /** Tries once more to save what is kept. */
  retry(): void {
    for (const value of this.#values.values()) {
      try {
        this.save(value);
      } catch {
        // It has been told already, when it was kept.
        return;
      }
    }
  }

  forget(id: number): void {
    this.#values.delete(id);
  }
}
