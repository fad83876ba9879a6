import type { ComponentProps } from 'svelte';
import type Composer from '../../src/renderer/components/composer/Composer.svelte';
import type Message from '../../src/renderer/components/message/Message.svelte';
import type { PathMessage } from '../../src/shared/contract/index.ts';

type ForComposer = ComponentProps<typeof Composer>;

/** What a page gives the composer, and can change meanwhile. Four characters are a token. */
export class ComposerProps implements ForComposer {
  conversationId = $state(1);
  draft = $state('');
  disabled = $state(false);
  busy = $state(false);
  placeholder = '';
  context: ForComposer['context'] = null;
  countTokens: ForComposer['countTokens'] = (text) => Promise.resolve(Math.ceil(text.length / 4));
  onsend: ForComposer['onsend'] = () => Promise.resolve();
  onstop: ForComposer['onstop'] = () => undefined;
  ondraft: (text: string) => void = () => undefined;

  constructor(props: Partial<ForComposer> = {}) {
    Object.assign(this, props);
  }
}

type ForMessage = ComponentProps<typeof Message>;

/** What the list gives a message, and can change meanwhile. */
export class MessageProps implements ForMessage {
  message: PathMessage;
  streaming = false;
  queue: ForMessage['queue'] = null;
  position = 0;
  editing = $state(false);
  onediting = (editing: boolean): void => void (this.editing = editing);
  onedit: ForMessage['onedit'] = () => Promise.resolve();
  onregenerate: ForMessage['onregenerate'] = () => undefined;
  onallow: ForMessage['onallow'] = () => undefined;
  oncontinue: ForMessage['oncontinue'] = () => undefined;
  onbranch: ForMessage['onbranch'] = () => undefined;
  onfeedback: ForMessage['onfeedback'] = () => Promise.resolve();
  onattachment: ForMessage['onattachment'] = () => Promise.reject(new Error('There is none.'));

  constructor(message: PathMessage, props: Partial<Omit<ForMessage, 'message'>> = {}) {
    this.message = $state.raw(message);
    Object.assign(this, props);
  }
}

const base: PathMessage = {
  id: 2,
  conversationId: 1,
  parentId: null,
  role: 'user',
  text: '',
  thinking: '',
  status: 'complete',
  error: null,
  errorCode: null,
  attachments: [],
  stats: null,
  feedback: { rating: null, correction: null },
  createdAt: 0,
  siblings: [2],
};

export function userMessage(parts: Partial<PathMessage>): PathMessage {
  return { ...base, ...parts };
}

export function replyOf(parts: Partial<PathMessage>): PathMessage {
  return { ...base, role: 'assistant', ...parts };
}
