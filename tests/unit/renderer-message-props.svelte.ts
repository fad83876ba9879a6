import type { ComponentProps } from 'svelte';
import type Composer from '../../src/renderer/components/composer/Composer.svelte';

type Props = ComponentProps<typeof Composer>;

/** What a page gives the composer, and can change meanwhile. Four characters are a token. */
export class ComposerProps implements Props {
  conversationId = $state(1);
  draft = $state('');
  disabled = $state(false);
  busy = $state(false);
  placeholder = '';
  context: Props['context'] = null;
  countTokens: Props['countTokens'] = (text) => Promise.resolve(Math.ceil(text.length / 4));
  onsend: Props['onsend'] = () => Promise.resolve();
  onstop: Props['onstop'] = () => undefined;
  ondraft: (text: string) => void = () => undefined;

  constructor(props: Partial<Props> = {}) {
    Object.assign(this, props);
  }
}
