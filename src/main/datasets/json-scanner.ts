import { linesIn, maxBroken, tooBroken, tooDeep } from './json-faults.ts';
import { maxDepth, maxExportedCharacters } from './limits.ts';
import { isWhole, type Landmark, landmark, landmarkIn } from './json-landmarks.ts';

/** Where a value stands: the keys that lead to it, `*` for an element of a list. */
export type JsonPath = readonly string[];

/** What stands in a file of JSON, from its first line on: a value, or one that is broken. */
export type JsonFound =
  | { readonly kind: 'value'; readonly path: JsonPath; readonly value: unknown; readonly line: number }
  | { readonly kind: 'broken'; readonly line: number };

interface Frame {
  readonly list: boolean;
  /** Of the value that is being read. */
  key: string;
  /** What stood before it on its line, of a list. */
  gap: string;
}

/** What may come next; a landmark where it has lost its way. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'more' | 'landmark';

/** A value that is scanned to its end before it is parsed. */
interface Scanned {
  readonly line: number;
  readonly gap: string;
  /** All but what stands in the text. */
  readonly parts: string[];
  characters: number;
  depth: number;
  inString: boolean;
  readonly bare: boolean;
}

/** Where brackets have been missing, a value is looked for its end over so many times the length of the longest one so far, */
const lengthsAfterBreak = 8;
/** and over so many characters at least: each that has none is read again from its beginning. */
const charactersAfterBreak = 1024 * 1024;
/** As long as the pieces in which a file is read, about. */
const piecesAfterBreak = 64 * 1024;

const [quote, backslash, lineFeed] = [0x22, 0x5c, 0x0a];

/**
 * Takes the values that are wanted out of JSON that comes in pieces, whatever its size. Where the JSON is broken, it goes on with the
 * next element of a list that begins as those before it have begun.
 */
export class JsonScanner {
  readonly #where: string;
  readonly #wants: (path: JsonPath, opening: string) => boolean;
  readonly #landmarks = new Map<string, Landmark<Frame>>();
  #found: JsonFound[] = [];
  #stack: Frame[] = [];
  #text = '';
  #at = 0;
  /** What comes behind the text. */
  readonly #waiting: string[] = [];
  #line = 1;
  #gap = '';
  #expects: Expected = 'value';
  #scanned: Scanned | null = null;
  #broken = 0;
  #longest = 0;
  #mostCharacters = maxExportedCharacters;

  /** `wants` says which values are parsed as a whole, by where they stand and their first sign; the others are looked into. */
  constructor(where: string, wants: (path: JsonPath, opening: string) => boolean) {
    this.#where = where;
    this.#wants = wants;
  }

  /** What is found in the next piece. Errors: `invalid-input` (broken again and again). */
  write(piece: string): JsonFound[] {
    this.#waiting.push(piece);
    this.#drain();
    return this.#take();
  }

  /** What is found at the end. */
  end(): JsonFound[] {
    do this.#drain();
    while (this.#step(true));
    if (this.#stack.length > 0 && this.#expects !== 'landmark') this.#tellBroken(this.#line);
    return this.#take();
  }

  #drain(): void {
    for (;;) {
      while (this.#step(false));
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#text = this.#text.slice(this.#at) + next;
      this.#at = 0;
    }
  }

  /** What was read too far is read again, a piece at a time: strings that are joined and cut again and again are copied each time. */
  #readAgain(text: string): void {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += piecesAfterBreak)
      pieces.push(text.slice(at, at + piecesAfterBreak));
    this.#waiting.unshift(...pieces);
    this.#text = '';
    this.#at = 0;
  }

  #take(): JsonFound[] {
    return this.#found.splice(0);
  }

  /** One token; false where more text is needed. */
  #step(atEnd: boolean): boolean {
    if (this.#scanned) return this.#scan(this.#scanned, atEnd);
    if (this.#expects === 'landmark') return this.#seek(atEnd);
    this.#passSpace();
    if (this.#at >= this.#text.length) return false;
    const character = this.#text[this.#at] ?? '';
    switch (this.#expects) {
      case 'first key':
      case 'key':
        if (character === '"') return this.#key(atEnd);
        if (character === '}' && this.#expects === 'first key') return this.#close(false);
        return this.#lose();
      case 'colon':
        return character === ':' ? this.#pass('value') : this.#lose();
      case 'more':
        return this.#more(character);
      case 'first value':
      case 'value':
        if (character === ']' && this.#expects === 'first value') return this.#close(true);
        return this.#value(character);
    }
  }

  #passSpace(): void {
    const from = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === lineFeed) this.#line++;
      else if (code !== 0x20 && code !== 0x09 && code !== 0x0d && code !== 0xfeff) break;
    }
    if (this.#at > from) this.#gap = (this.#gap + this.#text.slice(from, this.#at)).slice(-200);
  }

  #pass(expects: Expected): true {
    this.#at++;
    this.#gap = '';
    this.#expects = expects;
    return true;
  }

  #more(character: string): boolean {
    const frame = this.#stack.at(-1);
    if (!frame) {
      this.#expects = 'value';
      return true;
    }
    if (character === ',') return this.#pass(frame.list ? 'value' : 'key');
    if (character === (frame.list ? ']' : '}')) return this.#close(frame.list);
    return this.#lose();
  }

  #close(list: boolean): boolean {
    if (this.#stack.pop()?.list !== list) return this.#lose();
    return this.#pass('more');
  }

  #key(atEnd: boolean): boolean {
    const match = /"(?:[^"\\\n]|\\[^\n])*"/y;
    match.lastIndex = this.#at;
    const [text] = match.exec(this.#text) ?? [];
    if (text === undefined) {
      const cut = !this.#text.includes('\n', this.#at) && !atEnd;
      return cut && this.#text.length - this.#at < maxExportedCharacters ? false : this.#lose();
    }
    const frame = this.#stack.at(-1);
    if (!frame) return this.#lose();
    const holder = this.#stack.at(-2);
    if (this.#expects === 'first key' && holder?.list) {
      this.#remember(this.#stack.slice(0, -1), holder.gap, `{${this.#gap}${text}`);
    }
    frame.key = isWhole(text) ? String(JSON.parse(text)) : text;
    this.#at += text.length;
    this.#gap = '';
    this.#expects = 'colon';
    return true;
  }

  #value(character: string): boolean {
    const frame = this.#stack.at(-1);
    if (frame?.list) frame.gap = this.#gap;
    const container = character === '{' || character === '[';
    if (container && !this.#wants(this.#path(), character)) {
      if (this.#stack.length === maxDepth) throw tooDeep(this.#where);
      const list = character === '[';
      this.#stack.push({ list, key: list ? '*' : '', gap: '' });
      return this.#pass(list ? 'first value' : 'first key');
    }
    const bare = !container && character !== '"';
    if (bare && !/[-\w]/.test(character)) return this.#lose();
    this.#scanned = {
      ...{ line: this.#line, gap: this.#gap, parts: [], characters: 0, depth: 0, inString: false, bare },
    };
    this.#gap = '';
    return true;
  }

  /** Goes to the end of a value, over all pieces that it takes. */
  #scan(scanned: Scanned, atEnd: boolean): boolean {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    let ended = false;
    for (; at < text.length && !ended; at++) {
      const code = text.charCodeAt(at);
      if (scanned.bare) {
        if (/[-+.\w]/.test(text[at] ?? '')) continue;
        ended = true;
        break;
      }
      if (code === lineFeed) this.#line++;
      if (scanned.inString) {
        if (code === backslash) at++;
        else if (code === quote) {
          scanned.inString = false;
          ended = scanned.depth === 0;
        } else if (code === lineFeed) return this.#breakOff(scanned, at);
      } else if (code === quote) scanned.inString = true;
      else if (code === 0x7b || code === 0x5b) scanned.depth++;
      else if (code === 0x7d || code === 0x5d) ended = --scanned.depth === 0;
    }
    if (!ended && at > text.length) {
      // An escape is cut: its other half comes with the next piece.
      at = text.length - 1;
    }
    scanned.characters += at - from;
    scanned.parts.push(text.slice(from, at));
    this.#at = at;
    if (ended || (atEnd && scanned.bare)) return this.#endValue(scanned);
    if (scanned.characters > this.#mostCharacters || atEnd) return this.#breakOff(scanned, at);
    return false;
  }

  #endValue(scanned: Scanned): true {
    const text = scanned.parts.join('');
    this.#scanned = null;
    this.#expects = 'more';
    const path = this.#path();
    if (!this.#wants(path, text.slice(0, 1))) return true;
    const value = parsed(text);
    this.#learn(scanned, text, value !== undefined);
    if (value !== undefined) {
      this.#longest = Math.max(this.#longest, text.length);
      this.#found.push({ kind: 'value', path, value, line: scanned.line });
      return true;
    }
    this.#tellBroken(scanned.line);
    // Brackets that match by chance have taken in the elements that follow, which are told best by lines of their own.
    const next = this.#nextIn(text, true) ?? this.#nextIn(text, false);
    if (next) this.#goOn(next.landmark, text.slice(next.at), scanned.line + linesIn(text.slice(0, next.at)));
    return true;
  }

  /** How a value in a list begins, so do those after it; a broken one is believed where there was none before. */
  #learn({ gap }: Scanned, text: string, sound: boolean): void {
    const [head] = /^\{\s*"(?:[^"\\\n]|\\.)*"/.exec(text) ?? [];
    if (!this.#stack.at(-1)?.list || head === undefined) return;
    if (sound || !this.#landmarks.has(keyOf(this.#stack))) this.#remember(this.#stack, gap, head);
  }

  /** A value that cannot end: what comes after the next element's beginning may be sound. */
  #breakOff(scanned: Scanned, at: number): true {
    const text = scanned.parts.join('') + this.#text.slice(this.#at, at);
    this.#scanned = null;
    this.#learn(scanned, text, false);
    this.#tellBroken(scanned.line);
    if (scanned.characters > this.#mostCharacters) {
      const enough = Math.max(charactersAfterBreak, lengthsAfterBreak * this.#longest);
      this.#mostCharacters = Math.min(this.#mostCharacters, enough);
    }
    this.#readAgain(text.slice(1) + this.#text.slice(at));
    this.#line = scanned.line;
    this.#expects = 'landmark';
    return true;
  }

  #lose(): true {
    this.#tellBroken(this.#line);
    this.#expects = 'landmark';
    return true;
  }

  /** Looks for the beginning of an element. */
  #seek(atEnd: boolean): boolean {
    const rest = this.#text.slice(this.#at);
    const next = this.#nextIn(rest, false);
    if (next) {
      this.#goOn(next.landmark, rest.slice(next.at), this.#line + linesIn(rest.slice(0, next.at)));
      return true;
    }
    // A beginning may be cut by the end of this piece.
    const passed = atEnd ? rest.length : Math.max(0, rest.length - 1000);
    this.#line += linesIn(rest.slice(0, passed));
    this.#at += passed;
    return false;
  }

  #nextIn(text: string, onOwnLines: boolean): { landmark: Landmark<Frame>; at: number } | null {
    return landmarkIn(text, [...this.#landmarks.values()], onOwnLines);
  }

  #goOn({ stack }: Landmark<Frame>, text: string, line: number): void {
    this.#text = text + (this.#expects === 'landmark' ? '' : this.#text.slice(this.#at));
    this.#at = 0;
    this.#line = line;
    this.#gap = '';
    this.#stack = stack.map((frame) => ({ ...frame }));
    this.#expects = 'value';
  }

  /** How an element of a list begins, so that the next one can be found. */
  #remember(stack: readonly Frame[], gap: string, head: string): void {
    const path = keyOf(stack);
    if (this.#landmarks.get(path)?.from === gap + head) return;
    this.#landmarks.set(
      path,
      landmark(
        stack.map((frame) => ({ ...frame })),
        gap,
        head,
      ),
    );
  }

  #tellBroken(line: number): void {
    this.#found.push({ kind: 'broken', line });
    if (++this.#broken > maxBroken) throw tooBroken(this.#where, line);
  }

  #path(): string[] {
    return this.#stack.map(({ key }) => key);
  }
}

function keyOf(stack: readonly Frame[]): string {
  return stack.map(({ key }) => key).join('\n');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
