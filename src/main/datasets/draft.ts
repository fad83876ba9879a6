/** A message as a file has it. `other` is a role that no conversation with a model has. */
export interface DraftTurn {
  role: 'system' | 'user' | 'assistant' | 'tool' | 'other';
  text: string;
  /** Whether it also had what is not text, such as a picture. */
  beyondText?: boolean;
  /** A reply that is to be read and not learnt. */
  learnt?: false;
}

/** An example as a file has it, before what cannot be learnt from is left out. */
export type Draft = { kind: 'conversation'; turns: DraftTurn[] } | { kind: 'text'; text: string };
