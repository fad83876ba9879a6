import type { Attachment, Feedback, PathMessage } from '../../../shared/contract/index.ts';

/** What can be done with a message of the list. Each resolves once the program has taken it on, and rejects with a PunaError. */
export interface MessageActions {
  /** Sends the user message again with another text, beside the old one; its attachments stay. */
  edit(message: PathMessage, text: string): Promise<void>;
  /** Another reply beside this one. */
  regenerate(message: PathMessage): Promise<void>;
  /** The same, after allowing the conversation's adapters on models that they were not trained on. */
  allowAnyBase(message: PathMessage): Promise<void>;
  /** Writes on where this reply ended. */
  continue(message: PathMessage): Promise<void>;
  /** Shows the branch of this sibling. */
  branch(id: number): Promise<void>;
  feedback(message: PathMessage, feedback: Feedback): Promise<void>;
  /** The attachment's text, for a preview. */
  attachment(message: PathMessage, index: number): Promise<Attachment>;
}
