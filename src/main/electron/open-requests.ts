import type { App } from 'electron';
import { type OpenRequest, readFiles, readLink, readWords } from './open-request.ts';

/**
 * Hears what Puna is asked to open: by the words that it was started with, by those of a second start, and on macOS by events, which may
 * come before there is a window. All wait for `follow`, which is called once there is one to show them.
 */
export class OpenRequests {
  readonly #waiting: OpenRequest[] = [];
  #follow: ((request: OpenRequest) => void) | null = null;

  /** `words`: those that this process was started with, without the program; `skipped`: how many words of a second start are the program. */
  constructor(
    app: Pick<App, 'on'>,
    { words, folder, skipped }: { words: readonly string[]; folder: string; skipped: number },
  ) {
    this.#take(readWords(words, folder));
    app.on('second-instance', (_event, argv, workingDirectory) =>
      this.#take(readWords(argv.slice(skipped), workingDirectory)),
    );
    app.on('open-file', (event, path) => {
      event.preventDefault();
      this.#take(readFiles([path]));
    });
    app.on('open-url', (event, link) => {
      event.preventDefault();
      this.#take(readLink(link));
    });
  }

  follow(follow: (request: OpenRequest) => void): void {
    this.#follow = follow;
    for (const request of this.#waiting.splice(0)) follow(request);
  }

  #take(request: OpenRequest | null): void {
    if (!request) return;
    if (this.#follow) this.#follow(request);
    else this.#waiting.push(request);
  }
}
