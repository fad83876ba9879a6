/** As much of a model card as fits a sheet without scrolling, in characters. */
const excerptLength = 1200;
/** Hiding a little more than that would be a click for nothing. */
const shortLength = 1800;
/** Where no paragraph ends for so long, the excerpt ends anyway. */
const longestExcerpt = 3600;
/** The longest that is drawn; the rest is on the hub. Real cards are far shorter. */
const most = 100_000;

/** What is shown of a card, and whether something was left out at its end. */
export interface ShownCard {
  text: string;
  rest: boolean;
}

/** The beginning of a card, up to the end of a paragraph, without cutting a block of code in two. */
export function excerpt(card: string): ShownCard {
  if (card.length <= shortLength) return { text: card, rest: false };
  let at = 0;
  let fence: string | null = null;
  for (const line of card.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3);
    if (mark !== undefined && (fence === null || fence === mark)) fence = fence === null ? mark : null;
    const isEnd = fence === null && line.trim() === '';
    if (isEnd && at >= excerptLength) return { text: card.slice(0, at).trimEnd(), rest: true };
    at += line.length + 1;
    if (at > longestExcerpt) return { text: card.slice(0, longestExcerpt), rest: true };
  }
  return { text: card, rest: false };
}

/** All of a card that is drawn. */
export function wholeCard(card: string): ShownCard {
  return { text: card.slice(0, most), rest: card.length > most };
}
