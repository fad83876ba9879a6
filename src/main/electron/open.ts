import type { MessageBoxOptions, MessageBoxReturnValue } from 'electron';
import { basename } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import type { OpenRequest } from './open-request.ts';
import type { Words } from './words.ts';

/** What it takes to answer a request. */
export interface Opening {
  /** Puts a file into the library, where it lies. */
  addModel: (path: string) => Promise<unknown>;
  words: () => Words;
  ask: (options: MessageBoxOptions) => Promise<Pick<MessageBoxReturnValue, 'response'>>;
  /** Shows the window at a place of its page, such as `#/models`. */
  show: (hash: string) => void;
}

const [addButton, cancelButton] = [0, 1];

/** Shows the page that is asked for. Files join the library only when the person says so, since any program can name files. */
export async function answerOpenRequest(request: OpenRequest, opening: Opening): Promise<void> {
  const { addModel, words, ask, show } = opening;
  if (request.kind === 'page') return show(request.hash);

  show('#/models');
  const { response } = await ask({
    type: 'question',
    message: words().addToPuna,
    detail: request.paths.join('\n'),
    buttons: [words().add, words().cancel],
    // Enter by mistake adds nothing.
    defaultId: cancelButton,
    cancelId: cancelButton,
    noLink: true,
  });
  if (response !== addButton) return;
  for (const path of request.paths) {
    try {
      await addModel(path);
    } catch (thrown) {
      const { message, remedy } = PunaError.from(thrown);
      await ask({ type: 'error', message: basename(path), detail: `${message}\n${remedy}`.trim() });
    }
  }
}
