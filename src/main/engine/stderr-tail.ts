/** Enough for a failed assertion with its trace. */
const keptCharacters = 4000;

/** The end of what a process wrote to stderr: its last words, should it die. */
export class StderrTail {
  #text = '';

  add(text: string): void {
    this.#text = (this.#text + text).slice(-keptCharacters);
  }

  get text(): string {
    return this.#text.trim();
  }

  /** The line that says most: a failed assertion or an error, else the last one. Empty when there is none. */
  get lastWords(): string {
    const lines = this.#text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    return lines.findLast((line) => /assert|error|failed|out of memory/i.test(line)) ?? lines.at(-1) ?? '';
  }
}
