import type { GrammarState } from 'shiki/core';
import { loadHighlighter, loadedHighlighter, type LineHighlighter, type Piece } from './highlight.ts';

/** Milliseconds of highlighting at a time, for all code of the page together, so that it does not hold up a frame. */
const slice = 6;
let sliceEnd: number | undefined;

/** When the present slice ends. A new one begins with the next task. */
function deadline(): number {
  if (sliceEnd === undefined) {
    sliceEnd = performance.now() + slice;
    setTimeout(() => (sliceEnd = undefined));
  }
  return sliceEnd;
}

/** Characters of one block that get colours; what comes after them stays plain. */
const maxHighlighted = 200_000;

function nodesOf(pieces: Piece[]): Node[] {
  return pieces.map(({ text, className }) => {
    if (className === '') return document.createTextNode(text);
    const element = document.createElement('span');
    element.className = className;
    element.textContent = text;
    return element;
  });
}

/**
 * Code in an element, which may still grow. All of it is there at once as plain text; colours follow line by line, and a line
 * that has its colours is not touched again.
 */
export class CodeView {
  readonly #element: HTMLElement;
  /** The line that is being written, with its colours. */
  readonly #current = document.createElement('span');
  /** What has no colours yet. */
  readonly #rest = document.createTextNode('');
  #text = '';
  #language = '';
  /** Characters of the whole lines that have their colours. */
  #done = 0;
  #state: GrammarState | undefined;
  #timer: number | undefined;

  constructor(element: HTMLElement) {
    this.#element = element;
    element.append(this.#current, this.#rest);
  }

  update(text: string, language: string): void {
    if (language !== this.#language || !text.startsWith(this.#text.slice(0, this.#done))) {
      this.#element.replaceChildren(this.#current, this.#rest);
      this.#done = 0;
      this.#state = undefined;
    }
    this.#text = text;
    this.#language = language;
    const highlighter = loadedHighlighter(language);
    if (highlighter) this.#highlight(highlighter);
    else this.#showRest();
    if (highlighter === undefined) {
      void loadHighlighter(language).then((loaded) => {
        if (loaded && this.#language === language && this.#timer === undefined) this.#highlight(loaded);
      });
    }
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#language = '';
  }

  /** End of the next line that gets colours, or -1. */
  #nextNewline(): number {
    return this.#done < maxHighlighted ? this.#text.indexOf('\n', this.#done) : -1;
  }

  #showRest(): void {
    this.#current.replaceChildren();
    const rest = this.#text.slice(this.#done);
    if (this.#rest.data === '' || !rest.startsWith(this.#rest.data)) this.#rest.data = rest;
    else this.#rest.appendData(rest.slice(this.#rest.length));
  }

  #highlight(highlighter: LineHighlighter): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const end = deadline();
    const lines = document.createDocumentFragment();
    let newline = this.#nextNewline();
    while (newline >= 0 && performance.now() < end) {
      const line = highlighter.line(this.#text.slice(this.#done, newline), this.#state);
      lines.append(...nodesOf(line.pieces), '\n');
      this.#state = line.state;
      this.#done = newline + 1;
      newline = this.#nextNewline();
    }
    this.#current.before(lines);
    if (this.#done >= maxHighlighted) {
      this.#showRest();
    } else if (newline >= 0 || performance.now() >= end) {
      this.#showRest();
      this.#timer = window.setTimeout(() => this.#highlight(highlighter));
    } else {
      const { pieces } = highlighter.line(this.#text.slice(this.#done), this.#state);
      this.#current.replaceChildren(...nodesOf(pieces));
      this.#rest.data = '';
    }
  }
}
