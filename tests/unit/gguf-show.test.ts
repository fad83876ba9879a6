import { describe, expect, it } from 'vitest';
import { quoted, showMetadata } from '../../src/main/weights/formats/gguf.ts';
import { sampleGguf } from '../support/tiny-gguf.ts';

describe('metadata as text', () => {
  const shown = new Map(
    showMetadata(sampleGguf().metadata).map(({ key, type, value }) => [key, [type, value]]),
  );

  it.each([
    ['general.name', 'string', '작은 모델 🎉'],
    ['a.bool', 'bool', 'true'],
    ['a.uint64', 'uint64', '18446744073709551615'],
    ['many.texts', 'string[]', '["<unk>", "", "안녕", "\u2581the"]'],
    ['many.bools', 'bool[]', '[true, false, true]'],
    ['many.floats', 'float32[]', '[1, -2, 0.25]'],
    ['many.none', 'string[]', '[]'],
  ])('shows %s with its type', (key, type, value) => {
    expect(shown.get(key)).toEqual([type, value]);
  });

  it('shows a float of 32 bits without the digits that it does not have', () => {
    const metadata = new Map([['epsilon', { type: 'float32', value: Math.fround(1e-5) } as const]]);
    expect(showMetadata(metadata)).toEqual([{ key: 'epsilon', type: 'float32', value: '0.00001' }]);
  });

  it('cuts long arrays and texts, and says how long they are', () => {
    const long = showMetadata(
      new Map([
        ['array', { type: 'array', of: 'int32', value: new Int32Array(32_000) }],
        ['text', { type: 'string', value: 'x'.repeat(1_000_000) }],
      ]),
    );
    expect(long[0]?.value).toMatch(/^\[0, 0, .* … 32000 in all\]$/);
    expect(long[1]?.value).toMatch(/^x{20000}… \(1000000 characters in all\)$/);
  });
});

describe('a name from a file in a sentence', () => {
  it('stands on one line, cut, without signs that turn the direction of writing', () => {
    expect(quoted('a\nb\u001b[2Jc\u202Ed')).toBe('"a b [2Jc d"');
    expect(quoted('x'.repeat(100))).toBe(`"${'x'.repeat(64)}…"`);
  });
});
