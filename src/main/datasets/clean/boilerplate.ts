import type { BoilerplateKind, CleanSettings } from '../../../shared/contract/clean.ts';
import type { Example, ExampleTurn } from '../example.ts';
import {
  apologies,
  automaticMessages,
  automaticPhrases,
  laughter,
  refusalOpenings,
} from './boilerplate-phrases.ts';
import { type Cleaner, dropped, kept, type Verdict } from './cleaner.ts';
import { normalised } from './texts.ts';

/** What tells boilerplate stands at a text's beginning; more is not looked at. */
const openingCharacters = 1000;
/** A longer message that has such a phrase says more than it. */
const maxAutomaticCharacters = 600;
/** "Hello" is answered by "Hello"; whoever repeats this much says nothing. */
const minEchoCharacters = 16;
/** Eight times the same is no emphasis any more. */
const repeated = /^(.{1,24}?)\1{7,}$/su;
const beginsRepeated = /^(.{1,24}?)\1{7}/su;

/** A question mark alone asks. */
const saysSomething = /[\p{L}\p{N}\p{S}\p{Extended_Pictographic}?!？！]/u;
const exactly = new Set(automaticMessages);

/**
 * Drops texts that say nothing; a conversation ends before the exchange whose reply says nothing, as what follows answers it,
 * and is dropped when that was the first. Reasons are the kinds.
 */
export function boilerplateCleaner({ kinds }: CleanSettings['boilerplate']): Cleaner {
  const looked = new Set(kinds);

  function judge(example: Example): Verdict {
    if (example.kind === 'text') {
      const kind = kindOfText(example.text, looked);
      return kind ? dropped(kind, example.text) : kept;
    }
    const { turns } = example;
    for (let at = 0; at < turns.length; at++) {
      const turn = turns[at];
      const kind = turn && kindOfTurn(turn, turns[at - 1], looked);
      if (!kind) continue;
      // Turns alternate from the user's on, so that an even number of them ends with a reply.
      const before = turns.slice(0, at - (at % 2));
      if (before.length === 0) return dropped(kind, turn.text);
      return {
        kind: 'changed',
        example: { ...example, turns: before },
        findings: [{ reason: kind, text: turn.text }],
      };
    }
    return kept;
  }

  return { name: 'boilerplate', judge };
}

type Kinds = ReadonlySet<BoilerplateKind>;

function kindOfTurn(
  turn: ExampleTurn,
  before: ExampleTurn | undefined,
  looked: Kinds,
): BoilerplateKind | null {
  // Whatever a person asks may be answered well, but nothing cannot be.
  if (turn.role === 'user') return looked.has('empty') && isEmpty(turn.text) ? 'empty' : null;
  if (looked.has('refusal') && isRefusal(turn.text)) return 'refusal';
  if (looked.has('echo') && before && isEcho(turn.text, before.text)) return 'echo';
  return kindOfText(turn.text, looked);
}

function kindOfText(text: string, looked: Kinds): BoilerplateKind | null {
  if (looked.has('empty') && isEmpty(text)) return 'empty';
  if (looked.has('repetition') && isRepetition(text)) return 'repetition';
  if (looked.has('automatic') && isAutomatic(text)) return 'automatic';
  return null;
}

/** Neither words nor symbols, such as emoji. */
function isEmpty(text: string): boolean {
  return !saysSomething.test(text);
}

function opening(text: string): string {
  return normalised(text.slice(0, openingCharacters)).replaceAll(/[‘’]/g, "'");
}

function isRefusal(text: string): boolean {
  let rest = opening(text);
  for (;;) {
    if (refusalOpenings.some((phrase) => rest.startsWith(phrase))) return true;
    const apology = apologies.find((phrase) => rest.startsWith(phrase));
    if (apology === undefined) return false;
    rest = rest.slice(apology.length).replace(/^[\s,.;:!-]+/, '');
  }
}

/** The prompt, once or again and again, and nothing else. */
function isEcho(reply: string, prompt: string): boolean {
  const asked = wordsOf(prompt);
  if (asked.length < minEchoCharacters) return false;
  const answered = wordsOf(reply);
  return answered.length > 0 && answered.replaceAll(asked, '') === '';
}

function wordsOf(text: string): string {
  return normalised(text).replaceAll(/[^\p{L}\p{N}\p{S}]/gu, '');
}

function isRepetition(text: string): boolean {
  // Spares a long text from being copied.
  if (!beginsRepeated.test(unspaced(text.slice(0, openingCharacters)))) return false;
  const piece = repeated.exec(unspaced(text))?.[1];
  // Rows of digits are answers, such as 255 in binary.
  return piece !== undefined && !laughter.test(piece) && !/^\d+$/.test(piece);
}

function unspaced(text: string): string {
  return normalised(text).replaceAll(' ', '');
}

function isAutomatic(text: string): boolean {
  const start = opening(text);
  if (exactly.has(start.replace(/[.!]+$/, ''))) return true;
  return text.length <= maxAutomaticCharacters && automaticPhrases.some((phrase) => start.includes(phrase));
}
