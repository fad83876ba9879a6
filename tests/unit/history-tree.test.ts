import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tree, type TreeNode } from '../../src/main/history/tree.ts';

/**
 *   1 ─ 2 ─ 3 ─ 4
 *     │   └ 5
 *     └ 6 ─ 7
 */
const nodes: TreeNode[] = [
  { id: 1, parentId: null },
  { id: 2, parentId: 1 },
  { id: 3, parentId: 2 },
  { id: 4, parentId: 3 },
  { id: 5, parentId: 2 },
  { id: 6, parentId: 1 },
  { id: 7, parentId: 6 },
];
const tree = new Tree(nodes);

describe('a conversation', () => {
  test('is the path from its first message to the end in view', () => {
    expect(tree.pathTo(4)).toEqual([1, 2, 3, 4]);
    expect(tree.pathTo(7)).toEqual([1, 6, 7]);
    expect(tree.pathTo(99)).toEqual([]);
  });

  test('knows the versions of a message, oldest first', () => {
    expect(tree.siblings(5)).toEqual([3, 5]);
    expect(tree.siblings(1)).toEqual([1]);
  });

  test('goes on where a branch was worked on last', () => {
    expect(tree.newestLeaf(2)).toBe(5);
    expect(tree.newestLeaf(1)).toBe(7);
    expect(tree.newestLeaf(4)).toBe(4);
  });
});

/** Any conversation: each message answers one that came before it, or begins anew. */
const anyTree = fc
  .array(fc.nat(), { minLength: 1, maxLength: 60 })
  .map((choices) => choices.map((choice, at) => ({ id: at + 1, parentId: choice % (at + 1) || null })));

test('the newest leaf lies below its message, is a leaf, and is on its own path', () => {
  fc.assert(
    fc.property(anyTree, fc.nat(), (all, choice) => {
      const any = new Tree(all);
      const from = (choice % all.length) + 1;
      const leaf = any.newestLeaf(from);
      expect(all.some(({ parentId }) => parentId === leaf)).toBe(false);
      expect(any.pathTo(leaf)).toContain(from);
      expect(any.siblings(from)).toContain(from);
    }),
  );
});
