export { Background, type BackgroundRequest } from './background.ts';
export { Chat } from './chat.ts';
export { type MemoryRival, ModelHost } from './model-host.ts';
