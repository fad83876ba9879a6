import { describe, expect, test } from 'vitest';
import { FairQueue, type Request } from '../../src/main/chat/queue.ts';

const request = (messageId: number, conversationId: number): Request => ({
  messageId,
  conversationId,
  controller: new AbortController(),
  state: 'waiting',
  progress: null,
});

/** Serves everything that waits, one after the other, and says in which order. */
function serveAll(queue: FairQueue): number[] {
  const order: number[] = [];
  for (let next = queue.start(); next; next = queue.start()) {
    order.push(next.messageId);
    queue.finish(next);
  }
  return order;
}

describe('the queue of replies', () => {
  test('serves one conversation in the order in which it asked', () => {
    const queue = new FairQueue();
    for (const id of [1, 2, 3]) queue.add(request(id, 7));
    expect(serveAll(queue)).toEqual([1, 2, 3]);
  });

  test('lets conversations take turns, so that three questions of one do not keep another waiting', () => {
    const queue = new FairQueue();
    for (const id of [1, 2, 3]) queue.add(request(id, 7));
    queue.add(request(4, 8));
    expect(serveAll(queue)).toEqual([1, 4, 2, 3]);
  });

  test('shows the order in which turns will come, the running one first', () => {
    const queue = new FairQueue();
    for (const id of [1, 2, 3]) queue.add(request(id, 7));
    queue.start();
    queue.add(request(4, 8));
    const announced = queue.entries().map(({ messageId }) => messageId);
    expect(announced).toEqual([1, 4, 2, 3]);
    const running = queue.running;
    if (running) queue.finish(running);
    expect(serveAll(queue)).toEqual(announced.slice(1));
  });

  test('runs one at a time', () => {
    const queue = new FairQueue();
    queue.add(request(1, 7));
    queue.add(request(2, 8));
    expect(queue.start()?.messageId).toBe(1);
    expect(queue.start()).toBeNull();
  });

  test('lets one that waits be withdrawn, but not the one that runs', () => {
    const queue = new FairQueue();
    queue.add(request(1, 7));
    queue.add(request(2, 7));
    queue.start();
    expect(queue.withdraw(1)).toBe(false);
    expect(queue.withdraw(2)).toBe(true);
    expect(queue.entries().map(({ messageId }) => messageId)).toEqual([1]);
  });
});
