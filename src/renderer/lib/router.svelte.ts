/** Where the person is. Lives in the address, so that back, reload and a second tab work. */
export type Route =
  | { page: 'chat'; conversationId: number | null }
  | { page: 'models' }
  | { page: 'weights' }
  | { page: 'settings' };

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
  const [page, id] = location.hash.replace(/^#\/?/, '').split('/');
  if (page === 'models' || page === 'weights' || page === 'settings') return { page };
  return { page: 'chat', conversationId: page === 'chat' && id && /^\d+$/.test(id) ? Number(id) : null };
}

function write(to: Route): string {
  if (to.page !== 'chat') return `#/${to.page}`;
  return to.conversationId === null ? '#/' : `#/chat/${to.conversationId}`;
}
