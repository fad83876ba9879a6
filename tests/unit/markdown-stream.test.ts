import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/renderer/lib/markdown/block.ts';
import { MarkdownStream } from '../../src/renderer/lib/markdown/stream.ts';

const whole = (text: string) => new MarkdownStream().update(text, false);
/** What is shown while the text is still being written. */
const unfinished = (text: string) => new MarkdownStream().update(text, true);
const html = (blocks: Block[]) =>
  blocks.map((block) => ('html' in block ? block.html : block.kind)).join(' | ');

const article = `# Title with **bold**

A paragraph with \`code\`, a [link](https://example.com), $x^2$는 and \\(a_1 * b\\). It costs $5 and $6, 3~5일.
A second line:
- one
- two **bold**
  1. nested

     \`\`\`python
     print("in a list")
     \`\`\`
- [x] done

| a | b |
|---|--:|
| 1 | **2** |
| $x$ | \`y\` |

$$
\\frac{a}{b}
$$

> quote *em*
> - with a list

---

\`\`\`ts {1}
const a = 1;

// \`\`\` inside
\`\`\`

**학습(training)**은 끝났어요. See [the notes][notes].

<details><summary>x</summary>hi</details>

[notes]: https://example.com/notes
`;

describe('a text that is written piece by piece', () => {
  it('ends as it would have come at once', () => {
    for (const size of [1, 3, 7, 50]) {
      const stream = new MarkdownStream();
      for (let end = size; end < article.length; end += size) stream.update(article.slice(0, end), true);
      expect(stream.update(article, false)).toEqual(whole(article));
    }
  });

  it('shows at every moment what a fresh look at the text so far shows', () => {
    const pieces = fc.constantFrom(
      ...[
        'foo',
        'bar **b**',
        '\n',
        '\n\n',
        '\n',
        '- ',
        '* ',
        '1. ',
        '# ',
        '## h',
        '```',
        '```py\n',
        '~~~',
        '> ',
      ],
      ...[
        '| a | b |',
        '|---|---|',
        '|',
        '---',
        '***',
        '=',
        '<div>',
        '</div>',
        '<b',
        '<!--',
        '-->',
        '    ',
        '  ',
        '`',
      ],
      ...[
        '*',
        '**',
        '_',
        '~~',
        '$',
        '$$',
        '\\[',
        '\\]',
        '\\(',
        '\\)',
        'x^2',
        '[a]',
        '(http://x.y)',
        '![i](',
        '\\',
      ],
      ...['한국어(k)**는', '1', '2)', '<details>\n', 'x', '\t', '<pre>', '</pre>', '&amp;'],
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 2, maxLength: 24 }), (parts) => {
        const text = parts.join('');
        const stream = new MarkdownStream();
        for (let end = 1; end <= text.length; end++) {
          expect(stream.update(text.slice(0, end), true)).toEqual(unfinished(text.slice(0, end)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the blocks that are final as the same objects', () => {
    const stream = new MarkdownStream();
    const before = stream.update('First.\n\nSecond.\n\nThird.\n\nFourth\n', true);
    const after = stream.update('First.\n\nSecond.\n\nThird.\n\nFourth\n\nFifth', true);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    after.slice(0, 2).forEach((block, index) => expect(block).toBe(before[index]));
  });

  it('starts anew when another text takes its place', () => {
    const stream = new MarkdownStream();
    stream.update('One\n\ntwo\n\nthree\n\nfour\n\nfive\n', true);
    expect(html(stream.update('Other', true))).toBe('Other');
  });

  it('survives a text that is nested deeper than the stack', () => {
    expect(whole('>'.repeat(20_000)).length).toBe(1);
    expect(whole('- '.repeat(20_000)).length).toBe(1);
  });
});

describe('what is still open at the end is shown as it will be', () => {
  const cases: [string, string][] = [
    ['text **bold', 'text <strong>bold</strong>'],
    ['text *it', 'text <em>it</em>'],
    ['a `cod', 'a <code>cod</code>'],
    ['a [link](https://exam', 'a link'],
    ['# He', 'He'],
    ['where $x^2 +', 'where <span data-math="inline">x^2 +</span>'],
    ['See \\(a', 'See <span data-math="inline">a</span>'],
    ['costs $5 and', 'costs $5 and'],
    ['half a tag <b', 'half a tag'],
  ];
  it.each(cases)('%s', (text, shown) => expect(html(unfinished(text))).toBe(shown));

  it('a table from its first row on', () => {
    for (const text of ['| a | b', '| a | b |', '| a | b |\n', '| a | b |\n|-', '| a | b |\n|---|--']) {
      expect(unfinished(text)).toMatchObject([{ kind: 'table', header: ['a', 'b'], rows: [] }]);
    }
  });

  it('a formula on lines of its own', () => {
    expect(unfinished('$$\n\\frac{a}{b} + ')).toEqual([{ kind: 'math', tex: '\\frac{a}{b} +' }]);
    expect(unfinished('\\[\nx')).toEqual([{ kind: 'math', tex: 'x' }]);
    expect(unfinished('$$\nx\n$')).toEqual([{ kind: 'math', tex: 'x' }]);
  });

  it('code, without the half of its closing fence', () => {
    const code = { kind: 'code', language: 'py', text: 'x = 1' };
    expect(unfinished('```py\nx = 1\n``')).toEqual([code]);
    expect(unfinished('```py\nx = 1\n```')).toEqual([code]);
  });

  it('and what nobody can tell yet is held back', () => {
    for (const text of [
      '1',
      '-',
      '*',
      '#',
      '##',
      '```',
      '```py',
      '|',
      '> ',
      '$$',
      '---',
      '**',
      '[label]: https://ex',
    ]) {
      expect(unfinished(text).filter((block) => block.kind !== 'quote')).toEqual([]);
    }
    // An underline would make a heading of the line above it.
    expect(unfinished('Some intro:\n-')).toEqual([{ kind: 'paragraph', html: 'Some intro:' }]);
  });
});

describe('Korean', () => {
  it('has bold text before a particle, though a mark stands between', () => {
    expect(html(whole('**학습(training)**은 "**말**"이라고'))).toBe(
      '<strong>학습(training)</strong>은 &quot;<strong>말</strong>&quot;이라고',
    );
  });
  it('writes ranges with one tilde', () => expect(html(whole('3~5일, 10~20일'))).toBe('3~5일, 10~20일'));
  it('writes particles right after a formula', () =>
    expect(html(whole('$x$는 $y_1$을'))).toBe(
      '<span data-math="inline">x</span>는 <span data-math="inline">y_1</span>을',
    ));
});

describe('a dollar is a price unless it looks like a formula', () => {
  const prices = [
    '$5 and $6',
    '$5, $6',
    '$5-$10',
    'US$5 and 6$',
    '5$이고 6$이다',
    '$HOME/$USER',
    '$5 for lunch and 10$',
    '\\$x\\$',
  ];
  it.each(prices)('%s', (text) => expect(html(whole(text))).not.toContain('data-math'));

  const formulas = [
    '$x$',
    '$5x = 10$',
    '$n$th',
    '$\\alpha$',
    '$a < b$',
    '\\(x\\)',
    '$2^{10}$',
    '$$x$$',
    '\\[x\\] here',
  ];
  it.each(formulas)('%s', (text) => expect(html(whole(text))).toMatch(/data-math|math/));

  it('and emphasis does not reach into a formula', () =>
    expect(html(whole('*a* $x_1 * y_2 * z$ *b*'))).toBe(
      '<em>a</em> <span data-math="inline">x_1 * y_2 * z</span> <em>b</em>',
    ));
});
