import { goTo } from '../../lib/router.svelte.ts';

type Dialog = { kind: 'add' } | { kind: 'edit' | 'choose' | 'remove'; serverId: number };

/** What is asked about a server just now. Here, so that it can be begun from anywhere. */
class ServerDialogs {
  shown = $state.raw<Dialog | null>(null);

  show(dialog: Dialog): void {
    this.shown = dialog;
  }

  close(): void {
    this.shown = null;
  }

  /** Of this kind, about this server; null where it is not shown. `add` is about none. */
  serverOf(kind: Dialog['kind']): number | null {
    return this.shown?.kind === kind && this.shown.kind !== 'add' ? this.shown.serverId : null;
  }
}

export const dialogs = new ServerDialogs();

/** From any page. */
export function addServer(): void {
  goTo({ page: 'models', servers: true });
  dialogs.show({ kind: 'add' });
}
