/** When a reply of this session began and ended thinking, in milliseconds. Not stored: replies of earlier sessions have none. */
const times = new Map<number, { start: number; end: number | null }>();

/** Notes that the reply is thinking, or no longer. */
export function noteThinking(messageId: number, thinking: boolean): void {
  const time = times.get(messageId);
  if (thinking && !time) times.set(messageId, { start: performance.now(), end: null });
  else if (!thinking && time?.end === null) time.end = performance.now();
}

/** How long it thought, in seconds; null where nobody was there to measure. */
export function thinkingSeconds(messageId: number): number | null {
  const time = times.get(messageId);
  return time?.end == null ? null : (time.end - time.start) / 1000;
}
