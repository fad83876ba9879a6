import { describe, expect, test } from 'vitest';
import type { Download } from '../../src/shared/contract/index.ts';
import { progressFacts, stateText } from '../../src/renderer/components/hub/download-words.ts';
import { bytes } from '../../src/renderer/lib/figures.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [512, '512 bytes'],
  [1200, '1 kB'],
  [3_400_000, '3.4 MB'],
] as const)('sizes are words as English has them: %i', (count, text) => {
  expect(bytes(count)).toBe(text);
});

describe('a download', () => {
  const download: Download = {
    ...{ id: 1, repository: 'a/b', file: 'c', name: 'c', quantization: null, state: 'waiting' },
    ...{ bytes: 3_400_000, doneBytes: 0, bytesPerSecond: null, secondsLeft: null, path: '/c' },
    ...{ modelId: null, error: null, retryAt: null, createdAt: 0 },
  };

  test('tells how far it is', () => {
    expect(progressFacts(download)).toEqual(['0%', '0 bytes of 3.4 MB']);
  });

  test('that is tried again says when', () => {
    const retryAt = new Date(2030, 0, 1, 14, 35).getTime();
    expect(stateText({ ...download, retryAt })).toMatch(/Tries again at 0?2:35\sPM|Tries again at 14:35/);
    expect(stateText(download)).toBe('Waits for its turn');
  });
});
