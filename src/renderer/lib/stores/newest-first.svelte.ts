/** Things with a number, newest first, as they are told. */
export class NewestFirst<Item extends { id: number }> {
  items = $state.raw<Item[]>([]);

  find(id: number): Item | undefined {
    return this.items.find((item) => item.id === id);
  }

  /** Takes in one that began or changed. */
  put(item: Item): void {
    const others = this.items.filter(({ id }) => id !== item.id);
    this.items = [...others, item].sort((one, other) => other.id - one.id);
  }

  remove(id: number): void {
    this.items = this.items.filter((item) => item.id !== id);
  }
}
