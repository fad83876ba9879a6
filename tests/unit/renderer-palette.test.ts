import { expect, it } from 'vitest';
import { asText } from '../../src/renderer/components/palette/snippet.ts';

const plain = (text: string): string => asText([{ text, match: false }])[0]?.text ?? '';

it('what was found in a reply is shown without the marks of markdown', () => {
  expect(
    asText([
      { text: '**미세', match: false },
      { text: '조정', match: true },
      { text: '**은 *빠르고* `code`', match: false },
    ]),
  ).toEqual([
    { text: '미세', match: false },
    { text: '조정', match: true },
    { text: '은 빠르고 code', match: false },
  ]);
  expect(plain('## Wind ```ts const a = 1; ```')).toBe('Wind const a = 1; ');
  expect(plain('Air | Wind |---|---:| 0 °C | 20 km/h')).toBe('Air · Wind 0 °C · 20 km/h');
});

it('what only looks like a mark stays', () => {
  for (const text of ['2 * 3 = 6', 'snake_case', 'C# and F#', 'a - b', '1 --- 2'])
    expect(plain(text)).toBe(text);
});
