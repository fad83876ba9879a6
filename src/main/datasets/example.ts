/** One turn of a conversation. */
export interface ExampleTurn {
  role: 'user' | 'assistant';
  text: string;
  /** What the assistant says is learnt unless this says otherwise: then it is only read. */
  learnt?: false;
}

/**
 * What a model is to learn from: a conversation, or a text as it stands. The turns of a conversation alternate, begin with
 * the user and end with the assistant; none is empty.
 */
export type Example =
  { kind: 'conversation'; system: string; turns: ExampleTurn[] } | { kind: 'text'; text: string };

/**
 * What was left out, by reason: whole examples, or turns of examples that were read without them; of exports also where the first
 * of them stand.
 */
export interface ReadReport {
  examples: number;
  skipped: { reason: string; count: number; where?: string[] }[];
}
