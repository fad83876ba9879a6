/** How several models can become one. */
export const mergeMethods = ['linear', 'slerp', 'task', 'ties', 'dare', 'dare_ties'] as const;
export type MergeMethod = (typeof mergeMethods)[number];
