export { Background, type BackgroundRequest } from './background.ts';
export { Chat } from './chat.ts';
export { usedLoadSettings } from './load-settings.ts';
export { type MemoryRival, ModelHost } from './model-host.ts';
