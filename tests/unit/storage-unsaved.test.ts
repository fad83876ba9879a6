import { beforeEach, expect, test, vi } from 'vitest';
import { Unsaved } from '../../src/main/storage/unsaved.ts';

interface Thing {
  id: number;
  state: string;
}

let isFull: boolean;
let saved: Thing[];
let unsaved: Unsaved<Thing>;
beforeEach(() => {
  isFull = true;
  saved = [];
  unsaved = new Unsaved<Thing>((thing) => {
    if (isFull) throw new Error('The disk is full.');
    saved.push(thing);
  });
  const complain = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  return () => complain.mockRestore();
});

test('What cannot be saved is kept, the newest of it, and saved once that can be done', () => {
  unsaved.keep({ id: 1, state: 'running' });
  unsaved.keep({ id: 1, state: 'failed' });
  unsaved.keep({ id: 2, state: 'stopped' });
  unsaved.retry();
  expect([unsaved.get(1)?.state, unsaved.get(2)?.state, saved.length]).toEqual(['failed', 'stopped', 0]);

  isFull = false;
  unsaved.retry();
  expect(saved).toEqual([
    { id: 1, state: 'failed' },
    { id: 2, state: 'stopped' },
  ]);
  expect([unsaved.get(1), unsaved.get(2)]).toEqual([undefined, undefined]);
  unsaved.retry();
  expect(saved).toHaveLength(2);
});

test('What is saved or removed meanwhile takes the place of what was kept', () => {
  unsaved.keep({ id: 1, state: 'failed' });
  unsaved.keep({ id: 2, state: 'failed' });
  expect(() => unsaved.save({ id: 1, state: 'renamed' })).toThrow('The disk is full.');
  expect(unsaved.get(1)?.state).toBe('failed');
  isFull = false;
  unsaved.save({ id: 1, state: 'renamed' });
  unsaved.forget(2);
  unsaved.retry();
  expect(saved).toEqual([{ id: 1, state: 'renamed' }]);
});
