/** Narrower than this, in pixels, sidebar and panel lie over the page and are closed at first. */
const narrow = matchMedia('(width < 45rem)');

/** What of the window is open. */
class Layout {
  sidebar = $state(!narrow.matches);
  panel = $state(false);
  palette = $state(false);
  shortcuts = $state(false);

  get narrow(): boolean {
    return narrow.matches;
  }

  toggleSidebar(): void {
    this.sidebar = !this.sidebar;
  }

  togglePanel(): void {
    this.panel = !this.panel;
  }

  /** After a choice in a narrow window, what lay over the page goes away. */
  closeDrawers(): void {
    if (!narrow.matches) return;
    this.sidebar = false;
    this.panel = false;
  }
}

export const layout = new Layout();
narrow.addEventListener('change', () => {
  layout.sidebar = !narrow.matches;
  if (narrow.matches) layout.panel = false;
});
