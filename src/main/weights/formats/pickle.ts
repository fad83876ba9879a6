import type { PunaError } from '../../../shared/error.ts';
import { PickleReader } from './pickle-reader.ts';
import {
  Foreign,
  Ignored,
  PickleDict,
  PickleList,
  PickleTuple,
  type PickleValue,
  type PickleWorld,
} from './pickle-value.ts';

/** As many as the descriptions of 100 000 tensors need; each may take a hundred bytes of memory. */
const maxOperations = 4_000_000;
/** Values that are not yet in a list, tuple or dictionary; Python puts at most 1000 entries at once into one. */
const maxStack = 1_000_000;
/** Lists, tuples and dictionaries that are begun inside each other. */
const maxDepth = 200;
const maxMemo = 4_000_000;
const newestProtocol = 5;

/**
 * Runs a pickle (up to protocol 5) on a machine that can do nothing but build values: all else goes through `world`. Of the text
 * operations of protocol 0, which PyTorch never writes, it knows those before the name of a function that is to be refused.
 * The pickle may come from a stranger: its work, stack, depth and memo are bounded. `damaged` makes the error from what is
 * wrong, as the end of a sentence. Errors: those of `damaged` and of the world.
 * Operations: https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export function runPickle(
  bytes: Uint8Array,
  world: PickleWorld,
  damaged: (what: string) => PunaError,
): PickleValue {
  return new PickleMachine(bytes, world, damaged).run();
}

class PickleMachine {
  readonly #operands: PickleReader;
  readonly #world: PickleWorld;
  readonly #damaged: (what: string) => PunaError;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which what is being gathered begins. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, world: PickleWorld, damaged: (what: string) => PunaError) {
    this.#operands = new PickleReader(bytes, damaged);
    this.#world = world;
    this.#damaged = damaged;
  }

  run(): PickleValue {
    for (let operations = 0; operations < maxOperations; operations++) {
      const code = this.#operands.uint8();
      if (code === stop) return this.#pop();
      const value = this.#literal(code);
      if (value !== undefined) this.#push(value);
      else this.#operate(code);
    }
    throw this.#damaged(`its pickle has more than ${maxOperations} operations`);
  }

  /** The value that an operation pushes without a look at the stack; undefined if it is another operation. */
  #literal(code: number): PickleValue | undefined {
    const operands = this.#operands;
    switch (code) {
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4a: // BININT
        return operands.int32();
      case 0x4b: // BININT1
        return operands.uint8();
      case 0x4d: // BININT2
        return operands.uint16();
      case 0x8a: // LONG1
        return operands.integer(operands.uint8());
      case 0x47: // BINFLOAT
        return operands.float64();
      case 0x58: // BINUNICODE
        return operands.text(operands.uint32());
      case 0x8c: // SHORT_BINUNICODE
        return operands.text(operands.uint8());
      case 0x8d: // BINUNICODE8
        return operands.text(operands.uint64());
      case 0x54: // BINSTRING
        return operands.latin1(operands.uint32());
      case 0x55: // SHORT_BINSTRING
        return operands.latin1(operands.uint8());
      case 0x56: // UNICODE
      case 0x53: // STRING
        return operands.line();
      case 0x42: // BINBYTES
        return this.#skipped(operands.uint32());
      case 0x43: // SHORT_BINBYTES
        return this.#skipped(operands.uint8());
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#skipped(operands.uint64());
      case 0x29: // EMPTY_TUPLE
        return emptyTuple;
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET
        return new PickleList();
      case 0x7d: // EMPTY_DICT
        return new PickleDict();
      case 0x63: // GLOBAL
        return this.#world.global(operands.line(), operands.line());
      case 0x68: // BINGET
        return this.#recall(operands.uint8());
      case 0x6a: // LONG_BINGET
        return this.#recall(operands.uint32());
      case 0x67: // GET
        return this.#recall(Number(operands.line()));
      default:
        return undefined;
    }
  }

  #operate(code: number): void {
    const operands = this.#operands;
    switch (code) {
      case 0x80: // PROTO
        this.#checkProtocol(operands.uint8());
        return;
      case 0x95: // FRAME; frames only help those who read a pickle from a stream
        operands.skip(8);
        return;
      case 0x28: // MARK
        if (this.#marks.length === maxDepth) throw this.#damaged('its pickle is nested too deeply');
        this.#marks.push(this.#stack.length);
        return;
      case 0x30: // POP
        this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popMarked();
        return;
      case 0x32: // DUP
        this.#push(this.#top());
        return;
      case 0x71: // BINPUT
        this.#remember(operands.uint8());
        return;
      case 0x72: // LONG_BINPUT
        this.#remember(operands.uint32());
        return;
      case 0x70: // PUT
        this.#remember(Number(operands.line()));
        return;
      case 0x94: // MEMOIZE
        this.#remember(this.#memo.size);
        return;
      case 0x74: // TUPLE
        this.#push(new PickleTuple(this.#popMarked()));
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#push(new PickleTuple(this.#popSome(code - 0x84)));
        return;
      case 0x6c: // LIST
      case 0x91: // FROZENSET
        this.#push(new PickleList(this.#popMarked()));
        return;
      case 0x61: // APPEND
        this.#append(this.#popSome(1));
        return;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.#append(this.#popMarked());
        return;
      case 0x64: // DICT
        this.#pushDict(this.#popMarked());
        return;
      case 0x73: // SETITEM
        this.#setItems(this.#popSome(2));
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popMarked());
        return;
      case 0x93: // STACK_GLOBAL
        this.#pushGlobal(this.#popSome(2));
        return;
      case 0x69: // INST
        this.#call(this.#world.global(operands.line(), operands.line()), this.#popMarked());
        return;
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.#reduce(this.#popSome(2));
        return;
      case 0x62: // BUILD; attributes of objects hold nothing of tensors
        this.#pop();
        this.#top();
        return;
      case 0x51: // BINPERSID
        this.#push(this.#world.persistent(this.#pop()));
        return;
      default:
        throw this.#damaged(`its pickle has the unknown operation 0x${code.toString(16).padStart(2, '0')}`);
    }
  }

  #checkProtocol(protocol: number): void {
    if (protocol > newestProtocol) throw this.#damaged(`its pickle has the unknown protocol ${protocol}`);
  }

  #push(value: PickleValue): void {
    if (this.#stack.length === maxStack) throw this.#damaged('its pickle piles up too many values');
    this.#stack.push(value);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= this.#floor()) throw this.#tooFew();
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popSome(count: number): PickleValue[] {
    const start = this.#stack.length - count;
    if (start < this.#floor()) throw this.#tooFew();
    return this.#stack.splice(start);
  }

  #popMarked(): PickleValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.#tooFew();
    return this.#stack.splice(start);
  }

  /** What lies below the last mark belongs to something that is not yet gathered. */
  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #tooFew(): PunaError {
    return this.#damaged('its pickle takes more values than it has');
  }

  #skipped(length: number): PickleValue {
    this.#operands.skip(length);
    return ignored;
  }

  #remember(index: number): void {
    if (this.#memo.size === maxMemo) throw this.#damaged('its pickle remembers too many values');
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#damaged(`its pickle recalls the value ${index}, which it never had`);
    return value;
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (list instanceof Ignored) return;
    if (!(list instanceof PickleList))
      throw this.#damaged('its pickle appends to something that is not a list');
    for (const item of items) list.items.push(item);
  }

  #pushDict(items: readonly PickleValue[]): void {
    this.#push(new PickleDict());
    this.#setItems(items);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof PickleDict))
      throw this.#damaged('its pickle sets an entry of something that has none');
    for (let at = 0; at < items.length; at += 2) {
      const [key, value] = [items[at], items[at + 1]];
      if (key === undefined || value === undefined) throw this.#tooFew();
      dict.entries.push([key, value]);
    }
  }

  #pushGlobal([module, name]: readonly PickleValue[]): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.#damaged('its pickle names a class with something that is not a text');
    }
    this.#push(this.#world.global(module, name));
  }

  #reduce([callable, args]: readonly PickleValue[]): void {
    if (!(callable instanceof Foreign) || !(args instanceof PickleTuple)) {
      throw this.#damaged('its pickle calls something that cannot be called');
    }
    this.#call(callable, args.items);
  }

  #call(callable: Foreign, args: readonly PickleValue[]): void {
    this.#push(this.#world.call(callable, args));
  }
}

const stop = 0x2e;
const emptyTuple = new PickleTuple([]);
const ignored = new Ignored();
