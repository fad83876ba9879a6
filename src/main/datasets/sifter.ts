import type { ParsedElementInfo } from '@streamparser/json';
import { PunaError } from '../../shared/error.ts';
import { quoted } from '../weights/formats/gguf.ts';
import { isJsonObject, type JsonObject } from './found-record.ts';
import { isKnown } from './import/index.ts';

/** Takes the examples out of what is parsed, so that only the one that is being read stays in memory. */
export class Sifter {
  readonly arrived: unknown[] = [];
  readonly #path: string;
  /** The object that holds the list of examples, and what in its lists may be an example of an unknown kind. */
  #root: JsonObject | null = null;
  #list: string | null = null;
  #stranger: JsonObject | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** The list of the object that is being read which holds the examples; null: it is not known, or there is none. */
  get list(): string | null {
    return this.#list;
  }

  sift({ value, parent, stack }: ParsedElementInfo): void {
    if (stack.length === 0) this.#end(value);
    else if (!Array.isArray(parent)) return;
    else if (stack.length === 1) this.#take(parent);
    else {
      const [, holder] = stack;
      if (isJsonObject(holder?.value)) this.#siftList(parent, String(holder.key), holder.value, value);
    }
  }

  /** What is being read and is no example of a known kind. */
  unknown(): JsonObject | null {
    if (!this.#root || isKnown(this.#root)) return null;
    return this.#stranger ?? this.#root;
  }

  /** A list in an object is one of examples, or a part of an example: its messages, its instances. */
  #siftList(list: unknown[], name: string, root: JsonObject, element: unknown): void {
    this.#root = root;
    if (this.#list !== name) {
      if (!isJsonObject(element) || !isKnown(element)) {
        if (isJsonObject(element)) this.#stranger ??= element;
        return;
      }
      if (this.#list !== null) throw twoLists(this.#path, this.#list, name);
      this.#list = name;
    }
    this.#take(list);
  }

  #take(list: unknown[]): void {
    this.arrived.push(...list);
    list.length = 0;
  }

  #end(value: unknown): void {
    if (!isJsonObject(value)) {
      if (!Array.isArray(value)) this.arrived.push(value);
    } else if (this.#list === null) {
      this.arrived.push(isKnown(value) ? value : (this.#stranger ?? value));
    }
    this.#root = this.#list = this.#stranger = null;
  }
}

function twoLists(path: string, first: string, second: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} has examples in two lists, ${quoted(first)} and ${quoted(second)}.`,
    'Put the examples into one list, or each list into a file of its own.',
  );
}
