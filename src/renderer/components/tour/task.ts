import type { FailureWords } from '../../lib/failure.ts';
import type { en } from '../../messages/tour/en.ts';

/** One of the things that are done at a station of the tour. */
export interface Task {
  name: keyof (typeof en)['tasks'];
  done: boolean;
  /** It is being done; `share`: how much of it, null where nobody knows. */
  working: boolean;
  share: number | null;
  failure: FailureWords | null;
  /** Does it, and shows where. */
  act: () => Promise<void>;
  /** What is asked by it; empty where nothing is. */
  question: string;
}

export function task(name: Task['name'], parts: Pick<Task, 'done' | 'act'> & Partial<Task>): Task {
  return { name, working: false, share: null, failure: null, question: '', ...parts };
}
