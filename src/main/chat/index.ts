export { Chat } from './chat.ts';
export { ModelHost } from './model-host.ts';
