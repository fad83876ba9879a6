/** What a pickle builds: Python's own values, and those that only whoever allowed a global knows. */
export type PickleValue =
  null | boolean | number | bigint | string | PickleTuple | PickleList | PickleDict | Foreign;

export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A list or a set. */
export class PickleList {
  readonly items: PickleValue[];

  constructor(items: PickleValue[] = []) {
    this.items = items;
  }
}

/** A dictionary, its entries as they were set, without a look at whether a key is there already. */
export class PickleDict {
  readonly entries: (readonly [key: PickleValue, value: PickleValue])[] = [];
}

/** A class, a function, or what came of a call; to the machine, a thing to hand around. */
export abstract class Foreign {
  /** So that no plain object is taken for one. */
  protected readonly foreign = true;
}

/** A value that nobody needs, such as bytes or a device. */
export class Ignored extends Foreign {}

/** What a pickle may reach of the world around it; each of these throws what it refuses. */
export interface PickleWorld {
  /** The class or function that a module has under a name. */
  global(module: string, name: string): Foreign;
  call(callable: Foreign, args: readonly PickleValue[]): PickleValue;
  /** What is kept beside the pickle under an id. */
  persistent(id: PickleValue): PickleValue;
}
