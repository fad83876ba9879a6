import remend from 'remend';
import type { Token, Tokens } from 'marked';
import { createLexer } from './grammar.ts';
import { closeFormula } from './math.ts';

/**
 * Text that is still being written, so that what is shown changes as little as possible when the rest arrives: a last line that
 * could become anything is held back, a table stands as soon as its first row does.
 */

/** Nothing but marks that begin a block (or an emphasis, a fence, a rule, a number): what it becomes is not known yet. */
const undecidedLine = /^[ \t>]*(?:[-*+_=#~`|:$\\[\]! \t]+|\d{1,9}[.)]?)?[ \t]*$/;
const fenceLine = /^[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)$/;
const definitionLine = /^ {0,3}\[[^\]]+\]:/;
const tableRow = /^[ \t]*\|.*\S/;

/** The innermost block at the end of `tokens`. */
export function lastBlock(tokens: Token[]): Token | undefined {
  const last = tokens.at(-1);
  if (last?.type === 'list') return lastBlock((last as Tokens.List).items.at(-1)?.tokens ?? []);
  return last?.type === 'blockquote' ? lastBlock((last as Tokens.Blockquote).tokens) : last;
}

/** The fence of the code block that is open at the end of `text`, or null. */
function openFence(text: string): string | null {
  // Lexing is the only way to know: fences are indented in lists, and what looks like one inside another block is none.
  if (!text.includes('```') && !text.includes('~~~')) return null;
  const last = lastBlock(createLexer().blockTokens(text));
  if (last?.type !== 'code' || (last as Tokens.Code).codeBlockStyle === 'indented') return null;
  const fence = /^ *(`{3,}|~{3,})/.exec(last.raw)?.[1];
  if (fence === undefined) return null;
  const lines = last.raw.trimEnd().split('\n');
  const closed = lines.length > 1 && new RegExp(`^ {0,3}${fence}[\`~]*$`).test(lines.at(-1) ?? '');
  return closed ? null : fence;
}

/** The first row of a table, closed, with the line below that makes it one. */
function asTableHead(row: string): string {
  const closed = row.trimEnd().endsWith('|') ? row : `${row} |`;
  const columns = closed.replaceAll('\\|', '').split('|').length - 2;
  return `${closed}\n|${'---|'.repeat(Math.max(columns, 1))}`;
}

const formulaLine = /^[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*(\$\$|\\\[)/;

/** Closes a formula on lines of its own that is still being written. Changes `lines`. */
function closeDisplayFormula(lines: string[]): void {
  const first = lines.findLastIndex((line) => line.trim() === '') + 1;
  for (let index = first; index < lines.length; index++) {
    const opening = formulaLine.exec(lines[index] ?? '')?.[1];
    if (opening === undefined) continue;
    const closing = opening === '$$' ? '$$' : '\\]';
    const line = lines[index] ?? '';
    const start = line.indexOf(opening) + 2;
    const written = [line.slice(start), ...lines.slice(index + 1)].join('\n');
    if (written.includes(closing)) continue;
    // The closing mark itself may be half written.
    const tex = written.replace(/[$\\]$/, '');
    if (tex.trim() === '') lines.splice(index);
    else lines.splice(index, lines.length - index, `${line.slice(0, start)}${tex}${closing}`);
    return;
  }
}

/** The unfinished `text`, without what is undecided at its end and with what is certain to follow. */
export function holdBack(text: string): string {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const fence = openFence(lines.join('\n'));
  if (fence !== null) {
    // The closing fence, half written.
    return /^[ \t]*[`~]+$/.test(last) && last.trim().length < fence.length ? lines.join('\n') : text;
  }
  if (fenceLine.test(last)) return lines.join('\n');
  if (!undecidedLine.test(last) && !definitionLine.test(last)) lines.push(last);
  closeDisplayFormula(lines);
  const row = lines.at(-1);
  if (row !== undefined && tableRow.test(row) && !tableRow.test(lines.at(-2) ?? '')) {
    lines.push(asTableHead(lines.pop() ?? ''));
  }
  return lines.join('\n');
}

/** The last piece of inline text, with the formulas, emphasis, code and links closed that are still open in it. */
export function closeInline(source: string): string {
  return remend(closeFormula(source), {
    linkMode: 'text-only',
    katex: false,
    setextHeadings: false,
    comparisonOperators: false,
    singleTilde: false,
  });
}
