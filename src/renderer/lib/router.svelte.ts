/** Where the person is. Lives in the address, so that back, reload and a second tab work. */
export type Route =
  | { page: 'chat'; conversationId: number | null }
  /** Datasets and runs, or one of them. */
  | { page: 'teach'; datasetId?: number; runId?: number }
  /** The library, what can be got from the hub, or other servers; `repository`: one of the hub's, `OWNER/NAME`. */
  | { page: 'models'; discover?: boolean; repository?: string; servers?: boolean }
  | { page: 'weights' }
  | { page: 'settings'; diagnostics?: boolean };

let route = $state<Route>(read());
addEventListener('hashchange', () => (route = read()));

export function currentRoute(): Route {
  return route;
}

export function goTo(next: Route): void {
  location.hash = write(next);
  route = next;
}

function read(): Route {
  const [page, id, number, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  if (page === 'teach') return readTeach(id, number);
  if (page === 'models' && id === 'discover') {
    return { page, discover: true, ...(number && { repository: [number, ...rest].join('/') }) };
  }
  if (page === 'models' && id === 'servers') return { page, servers: true };
  if (page === 'settings' && id === 'diagnostics') return { page, diagnostics: true };
  if (page === 'models' || page === 'weights' || page === 'settings') return { page };
  return { page: 'chat', conversationId: page === 'chat' && id && /^\d+$/.test(id) ? Number(id) : null };
}

function readTeach(kind: string | undefined, number: string | undefined): Route {
  if (number && /^\d+$/.test(number)) {
    if (kind === 'dataset') return { page: 'teach', datasetId: Number(number) };
    if (kind === 'run') return { page: 'teach', runId: Number(number) };
  }
  return { page: 'teach' };
}

function write(to: Route): string {
  if (to.page === 'teach') {
    if (to.datasetId !== undefined) return `#/teach/dataset/${to.datasetId}`;
    return to.runId === undefined ? '#/teach' : `#/teach/run/${to.runId}`;
  }
  if (to.page === 'models' && to.discover) {
    return to.repository ? `#/models/discover/${to.repository}` : '#/models/discover';
  }
  if (to.page === 'models' && to.servers) return '#/models/servers';
  if (to.page === 'settings' && to.diagnostics) return '#/settings/diagnostics';
  if (to.page !== 'chat') return `#/${to.page}`;
  return to.conversationId === null ? '#/' : `#/chat/${to.conversationId}`;
}
