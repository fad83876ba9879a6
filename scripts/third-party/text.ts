import type { ShippedPackage } from './packages.ts';

const line = '─'.repeat(80);

/** Parts that come within packages, and bring licences of their own. */
const within = `Inside of @node-llama-cpp: llama.cpp and ggml, Copyright (c) 2023-2026 The ggml authors, under the MIT licence.
Inside of better-sqlite3: SQLite, which its authors have put into the public domain.
Inside of @napi-rs/canvas: Skia, Copyright (c) 2011 Google Inc., under the BSD licence with three clauses.
The desktop app holds Electron and Chromium; their licences are files beside its program.`;

/** All packages with their licences in one text for people: first a list, then each text once, under those that it belongs to. */
export function thirdPartyText(packages: readonly ShippedPackage[]): string {
  const list = packages.map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
  const byText = Map.groupBy(packages, ({ text, licence }) => text ?? withoutText(licence));
  const texts = [...byText].map(
    ([text, sharing]) =>
      `${line}\n${sharing.map(({ name, version }) => `${name} ${version}`).join('\n')}\n${line}\n\n${text}`,
  );
  return [
    'Puna is built on the work of others, who let everyone use it under these licences.',
    list.join('\n'),
    within,
    ...texts,
    '',
  ].join('\n\n');
}

function withoutText(licence: string): string {
  return `Licence: ${licence}. The package says so and comes with no text of it.`;
}
