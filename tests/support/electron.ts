import { EventEmitter } from 'node:events';

/**
 * A stand-in for a part of Electron, of which a test needs only some calls: that the rest is missing is what the cast is
 * for.
 */
export function fake<T>(calls: object): T {
  return calls as T;
}

/** The same, with Electron's events: `tell` emits one and says whether a listener prevented what was to come. */
export function fakeEmitter<T>(calls: object = {}): {
  target: T;
  tell: (name: string, details?: object, ...more: unknown[]) => { prevented: boolean };
} {
  const emitter = new EventEmitter();
  return {
    target: Object.assign(emitter, calls) as T,
    tell(name, details = {}, ...more) {
      let prevented = false;
      emitter.emit(name, { ...details, preventDefault: () => (prevented = true) }, ...more);
      return { prevented };
    },
  };
}
