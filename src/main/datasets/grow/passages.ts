/** A piece of a text that questions are asked about. */
export interface Passage {
  /** The headings that it stands under, outermost first. */
  headings: readonly string[];
  text: string;
}

/** Some 250 words of English or 700 of Korean: small enough that questions are about all of it, in any model's context. */
const mostCharacters = 1500;
/** There is nothing to ask about less. */
const fewestCharacters = 120;

const heading = /^(#{1,6})\s+(.+?)\s*#*$/;
const sentenceEnd = /(?<=[.!?。！？…]["'”’)]?)\s+/u;

/**
 * A text in passages: at headings of Markdown, and where a section is long, between paragraphs, so that passages are about
 * equally long; a paragraph that is too long is cut between sentences. Passages of a few words are left out.
 */
export function passagesOf(text: string): Passage[] {
  return sectionsOf(text).flatMap(({ headings, paragraphs }) =>
    packed(paragraphs.flatMap(cut))
      .filter((passage) => passage.length >= fewestCharacters)
      .map((passage) => ({ headings, text: passage })),
  );
}

interface Section {
  headings: string[];
  paragraphs: string[];
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [{ headings: [], paragraphs: [] }];
  const above: { level: number; title: string }[] = [];
  for (const paragraph of paragraphsOf(text)) {
    const [first = '', ...rest] = paragraph.split('\n');
    const [, marks, title] = heading.exec(first) ?? [];
    if (marks !== undefined && title !== undefined) {
      while ((above.at(-1)?.level ?? 0) >= marks.length) above.pop();
      above.push({ level: marks.length, title });
      sections.push({ headings: above.map((outer) => outer.title), paragraphs: [] });
    }
    const body = marks === undefined ? paragraph : rest.join('\n').trim();
    if (body !== '') sections.at(-1)?.paragraphs.push(body);
  }
  return sections;
}

/** Parts between empty lines and before headings; code blocks stay whole, with what looks like headings in them. */
function paragraphsOf(text: string): string[] {
  const paragraphs: string[][] = [[]];
  let fenced = false;
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced;
    if (!fenced && (line.trim() === '' || heading.test(line))) paragraphs.push([]);
    paragraphs.at(-1)?.push(line);
  }
  return paragraphs.map((lines) => lines.join('\n').trim()).filter((paragraph) => paragraph !== '');
}

/** A paragraph in parts that are not too long: between lines or sentences, and where there are none, anywhere. */
function cut(paragraph: string): string[] {
  if (paragraph.length <= mostCharacters) return [paragraph];
  const sentences = paragraph.split('\n').flatMap((line) => line.split(sentenceEnd));
  const pieces = sentences.flatMap((sentence) => sentence.match(anywhere) ?? []);
  return joined(pieces, ' ', mostCharacters);
}

const anywhere = new RegExp(`[^]{1,${mostCharacters}}`, 'gu');

/** Paragraphs in passages of about the same length. */
function packed(paragraphs: readonly string[]): string[] {
  const total = paragraphs.reduce((sum, { length }) => sum + length, 0);
  const passages = Math.max(1, Math.ceil(total / mostCharacters));
  return joined(paragraphs, '\n\n', Math.min(mostCharacters, Math.ceil(total / passages) * 1.2));
}

/** Neighbours together as long as they are not longer than `most`. */
function joined(pieces: readonly string[], between: string, most: number): string[] {
  const whole: string[] = [];
  for (const piece of pieces) {
    const last = whole.at(-1);
    const fits = last !== undefined && last.length + between.length + piece.length <= most;
    if (fits) whole[whole.length - 1] = `${last}${between}${piece}`;
    else whole.push(piece);
  }
  return whole;
}
