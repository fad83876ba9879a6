/** Programs whose downloads are found and used where they are. */
export const downloaders = ['hugging-face', 'lm-studio', 'jan', 'gpt4all', 'ollama'] as const;
export type Downloader = (typeof downloaders)[number];

/**
 * Where a model's file lies: in Puna's own folders, in a folder that a person has added, beside Puna itself (`starter`), where another
 * program has put it, or anywhere else (`file`). What answers from a server has none (`server`).
 */
export const modelOrigins = ['puna', 'folder', 'file', 'starter', ...downloaders, 'server'] as const;
export type ModelOrigin = (typeof modelOrigins)[number];
