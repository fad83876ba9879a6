/** The last part of a path, of whatever system it comes from. */
export function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}

/** What a file or folder of weights is called. */
export function titleOf(path: string): string {
  return lastPart(path).replace(/\.gguf$/i, '');
}
