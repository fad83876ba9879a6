/** Files that are dragged over a part of the page, and what becomes of them when they are let go. */
export class FileDrop {
  /** Files are held over it now. */
  over = $state(false);
  readonly #take: (files: File[]) => void;

  constructor(take: (files: File[]) => void) {
    this.#take = take;
  }

  /** To be spread over the element. */
  readonly handlers = {
    ondragover: (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      this.over = true;
    },
    ondragleave: (event: DragEvent & { currentTarget: HTMLElement }): void => {
      // Going from one element inside to another leaves nothing.
      const to = event.relatedTarget;
      if (!(to instanceof Node) || !event.currentTarget.contains(to)) this.over = false;
    },
    ondrop: (event: DragEvent): void => {
      this.over = false;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      this.#take(files);
    },
  };
}
