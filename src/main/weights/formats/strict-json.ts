import { isUtf8 } from 'node:buffer';
import type { PunaError } from '../../../shared/error.ts';
import { quoted } from './printable.ts';

export interface JsonLimits {
  /** Of objects and lists inside each other. */
  depth: number;
  /** Entries of all objects and lists together. */
  values: number;
}

/**
 * Parses JSON that may come from a stranger: valid UTF-8, within limits that are checked before anything is built from it, and
 * without objects that have a name twice, of which JSON.parse takes the last and other programs the first.
 * `damaged` makes the error from what is wrong, as the end of a sentence whose subject is `what`.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  { what, limits, damaged }: { what: string; limits: JsonLimits; damaged: (what: string) => PunaError },
): unknown {
  if (!isUtf8(bytes)) throw damaged(`${what} is not valid UTF-8`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const wrong = findExcess(text, limits);
  if (wrong) throw damaged(`${what} ${wrong}`);
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(`${what} is not valid JSON`);
  }
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** What is too much about a JSON text, undefined if nothing is. Says nothing of texts that are no JSON at all. */
function findExcess(text: string, limits: JsonLimits): string | undefined {
  /** The names of each object that is open; null for a list. */
  const open: (Set<string> | null)[] = [];
  let values = 0;
  let nameComes = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at);
        const names = open.at(-1);
        if (names && nameComes) {
          const name = unescaped(text.slice(at + 1, end));
          if (names.has(name)) return `has the name ${quoted(name)} twice`;
          names.add(name);
          nameComes = false;
        }
        at = end;
        break;
      }
      case openBrace:
      case openBracket:
        nameComes = text.charCodeAt(at) === openBrace;
        open.push(nameComes ? new Set() : null);
        if (open.length > limits.depth) return 'is nested too deeply';
        if (++values > limits.values) return `has more than ${limits.values} values`;
        break;
      case closeBrace:
      case closeBracket:
        open.pop();
        break;
      case comma:
        nameComes = open.at(-1) instanceof Set;
        if (++values > limits.values) return `has more than ${limits.values} values`;
        break;
      default:
    }
  }
  return undefined;
}

/** Where the quote is that ends the string whose first quote is at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function unescaped(name: string): string {
  if (!name.includes('\\')) return name;
  try {
    return String(JSON.parse(`"${name}"`));
  } catch {
    // No JSON then, which JSON.parse will say of the whole.
    return name;
  }
}
