/** As much of a model card as fits a sheet without scrolling, in characters. */
const excerptLength = 1200;
/** The longest that is drawn; the rest is on the hub. Real cards are far shorter. */
const most = 100_000;

/** What is shown of a card, and whether something was left out at its end. */
export interface ShownCard {
  text: string;
  rest: boolean;
}

/** The beginning of a card, up to the end of a paragraph, without cutting a block of code in two. */
export function excerpt(card: string): ShownCard {
  if (card.length <= excerptLength * 1.5) return { text: card, rest: false };
  const lines = card.split('\n');
  let length = 0;
  let fence: string | null = null;
  for (const [index, line] of lines.entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3);
    if (mark !== undefined && (fence === null || fence === mark)) fence = fence === null ? mark : null;
    length += line.length + 1;
    const isEnd = fence === null && line.trim() === '';
    if (isEnd && length >= excerptLength) return { text: lines.slice(0, index).join('\n'), rest: true };
    if (length > excerptLength * 3)
      return {
        text: lines
          .slice(0, index + 1)
          .join('\n')
          .slice(0, excerptLength * 3),
        rest: true,
      };
  }
  return { text: card, rest: false };
}

/** All of a card that is drawn. */
export function wholeCard(card: string): ShownCard {
  return { text: card.slice(0, most), rest: card.length > most };
}
