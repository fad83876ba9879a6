/** What the shape of a conversation needs of a message. Ids grow with time. */
export interface TreeNode {
  id: number;
  parentId: number | null;
}

/**
 * The shape of a conversation: edit and regenerate add siblings, and a branch is the path from a first message to a leaf.
 * Pure; knows neither texts nor database.
 */
export class Tree {
  readonly #parents = new Map<number, number | null>();
  readonly #children = new Map<number | null, number[]>();

  /** Nodes in any order; a node whose parent is not among them is one that nobody reaches. */
  constructor(nodes: Iterable<TreeNode>) {
    for (const { id, parentId } of nodes) {
      this.#parents.set(id, parentId);
      const children = this.#children.get(parentId);
      if (children) children.push(id);
      else this.#children.set(parentId, [id]);
    }
    for (const children of this.#children.values()) children.sort((one, other) => one - other);
  }

  has(id: number): boolean {
    return this.#parents.has(id);
  }

  /** From the first message to this one. */
  pathTo(id: number): number[] {
    const path: number[] = [];
    for (let at: number | null | undefined = id; at != null && this.has(at); at = this.#parents.get(at))
      path.push(at);
    return path.reverse();
  }

  /** All messages with the same parent, itself among them, oldest first. */
  siblings(id: number): number[] {
    return this.#children.get(this.#parents.get(id) ?? null) ?? [];
  }

  /** The end of the branch that a person last worked on below this message: the newest child, its newest child, and so on. */
  newestLeaf(id: number): number {
    for (let at = id; ;) {
      const newest = this.#children.get(at)?.at(-1);
      if (newest === undefined) return at;
      at = newest;
    }
  }
}
