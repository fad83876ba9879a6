import type { MarkedExtension } from 'marked';

/**
 * CommonMark closes `**` after a punctuation mark only before a space or another mark. Korean, Chinese and Japanese put no
 * space there (`**학습(training)**은`), so bold text would keep its asterisks.
 */
const cjk = /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const mark = /[\p{P}\p{S}]/u;
const bold = /^\*\*(?![\s*])((?:`[^`\n]*`|\\[\s\S]|[^*`\\]|\*(?!\*))+?)(?<!\s)\*\*(?!\*)/;

/** Bold text that touches CJK letters where CommonMark alone would not see it. */
export const cjkEmphasis: MarkedExtension = {
  extensions: [
    {
      name: 'cjk-strong',
      level: 'inline',
      start: (source) => {
        const at = source.indexOf('**');
        return at < 0 ? undefined : at;
      },
      tokenizer(source, tokens) {
        const found = bold.exec(source);
        const text = found?.[1];
        if (!found || text === undefined) return undefined;
        const before = tokens.at(-1)?.raw.at(-1) ?? '';
        const after = source.charAt(found[0].length);
        const closes = mark.test(text.slice(-1)) && cjk.test(after);
        const opens = mark.test(text.charAt(0)) && cjk.test(before);
        if (!closes && !opens) return undefined;
        return { type: 'strong', raw: found[0], text, tokens: this.lexer.inlineTokens(text, []) };
      },
    },
  ],
};

/** Strikes through with `~~` only: one tilde is a range in Korean (`3~5일`). */
export const doubleTildeOnly: MarkedExtension = {
  tokenizer: {
    del: (source) => (source.startsWith('~~') ? false : undefined),
  },
};
