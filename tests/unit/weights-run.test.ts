import { expect, test } from 'vitest';
import { progressLine, summary } from '../../src/main/commands/weights-run.ts';

const progress = { type: 'progress', phase: 'writing' } as const;

test('Progress tells how much is left, once that is more than a guess', () => {
  expect(progressLine({ ...progress, done: 1e9, total: 4e9 }, 20)).toBe(
    'writing 25 %, 1 GB of 4 GB, 1 min 0 s left',
  );
  expect(progressLine({ ...progress, done: 1e9, total: 4e9 }, 1)).toBe('writing 25 %, 1 GB of 4 GB');
  expect(progressLine({ ...progress, done: 4e9, total: 4e9 }, 20)).toBe('writing 100 %, 4 GB of 4 GB');
  expect(progressLine({ ...progress, done: 0, total: 0 }, 20)).toBe('writing 100 %, 0 B of 0 B');
});

test('A result is summed up: where it is, how it was proved, how much was changed, and what is to be known', () => {
  const result = {
    ...{ out: '/m.gguf', bytes: 13.5e9, seconds: 65 },
    ...{ proof: { kind: 'exact', text: 'It is right.' } as const, notes: ['Know this.'] },
  };
  const changes = [
    { layer: 0, change: 0.0123 },
    { layer: 1, change: 1.31 },
    { layer: 2, change: 0.5 },
    { layer: null, change: 9 },
  ];
  expect(summary({ ...result, changes })).toBe(
    [
      '/m.gguf: 13.5 GB in 1 min 5 s.',
      'It is right.',
      'The weights change by 1.2 % in layer 0, where it is least, to 130 % in layer 1, where it is most.',
      'Know this.',
      '',
    ].join('\n'),
  );
  expect(summary({ ...result, changes: changes.slice(3) })).toBe(
    '/m.gguf: 13.5 GB in 1 min 5 s.\nIt is right.\nKnow this.\n',
  );
  expect(summary({ ...result, changes: changes.slice(0, 1) })).toContain(
    'The weights change by 1.2 % in one layer.\n',
  );
  const alike = [0.0301, 0.0302, 0.0299].map((change, layer) => ({ layer, change }));
  expect(summary({ ...result, changes: alike })).toContain('The weights change by 3 % in every layer.\n');
});
