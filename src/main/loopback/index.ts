/** Servers that nobody but this machine reaches, and what keeps web pages of this machine out of them. */
export { loopbackHosts } from './hosts.ts';
export { listenOnLoopback } from './listen.ts';
export { keptSecret, sameSecret } from './secret.ts';
