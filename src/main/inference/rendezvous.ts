/**
 * Lets several that go in steps take each step together. llama.cpp computes in one go what is asked for at that moment; whoever
 * asks a moment later waits for the next go, and all that wait for each other fill half of one.
 */
export class Rendezvous {
  #members = 0;
  #arrived = 0;
  #step = Promise.withResolvers<null>();

  join(): void {
    this.#members++;
  }

  /** Not while one's own step is waited for. */
  leave(): void {
    this.#members--;
    this.#goIfAllAreHere();
  }

  /** Ends when all members have arrived at their next step. */
  async arrive(): Promise<void> {
    const step = this.#step.promise;
    this.#arrived++;
    this.#goIfAllAreHere();
    await step;
  }

  #goIfAllAreHere(): void {
    if (this.#arrived < this.#members) return;
    this.#arrived = 0;
    this.#step.resolve(null);
    this.#step = Promise.withResolvers();
  }
}
