import type { ErrorCode } from '../../../shared/error.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import type { en } from '../../messages/tour/en.ts';

export interface Failure {
  sentence: string;
  remedy: string;
}

/** One of the things that are done at a station of the tour. */
export interface Task {
  name: keyof (typeof en)['tasks'];
  done: boolean;
  /** It is being done; `share`: how much of it, null where nobody knows. */
  working: boolean;
  share: number | null;
  failure: Failure | null;
  /** Does it, and shows where. */
  act: () => Promise<void>;
  /** What is asked by it; empty where nothing is. */
  question: string;
}

export function task(name: Task['name'], parts: Pick<Task, 'done' | 'act'> & Partial<Task>): Task {
  return { name, working: false, share: null, failure: null, question: '', ...parts };
}

/** What the program says of something that failed; in another language than its own, the sentence is that of the failure's kind. */
export function failureOf(
  error: { code: ErrorCode; message: string; remedy: string } | null,
): Failure | null {
  if (!error) return null;
  const { code, message, remedy } = error;
  if (locale() === 'en') return { sentence: message, remedy };
  return { sentence: t(`failure.${code}`), remedy: `${message} ${remedy}`.trim() };
}
