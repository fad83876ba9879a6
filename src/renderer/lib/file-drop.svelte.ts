/** What was let go; what kind of things it is, only the transfer tells, and only at that moment. */
type TakeFiles = (files: File[], transfer: DataTransfer) => void;

/** Files that are dragged over a part of the page, and what becomes of them when they are let go. */
export class FileDrop {
  /** Files are held over it now. */
  over = $state(false);
  readonly #take: TakeFiles;

  constructor(take: TakeFiles) {
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
      const { dataTransfer } = event;
      if (!dataTransfer || dataTransfer.files.length === 0) return;
      event.preventDefault();
      this.#take([...dataTransfer.files], dataTransfer);
    },
  };
}
