/** Licences under which Puna may pass on the work of others: they ask for their notice, and for nothing of Puna's own code. */
const allowed: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'OFL-1.1',
  'Python-2.0',
  'Unlicense',
  'Zlib',
  // Not an identifier of SPDX; `duck` means the one with three clauses.
  'BSD',
]);

/** Whether an SPDX expression such as `(MIT OR GPL-3.0-or-later)` can be met with licences of the list. */
export function isAllowed(expression: string): boolean {
  const bare = expression.trim().replace(/^\((.*)\)$/, '$1');
  // Brackets within brackets: a person should look at that.
  if (bare === '' || /[()]/.test(bare)) return false;
  return bare
    .split(/\s+OR\s+/)
    .some((choice) => choice.split(/\s+AND\s+/).every((name) => allowed.has(name)));
}
