import { basename } from 'node:path';
import { codeEndings } from '../../../shared/file-endings.ts';
import { maxTextBytes } from '../limits.ts';
import { extensionOf, wholeText } from './file-text.ts';
import { documents } from './whole-document.ts';

/** Content cannot tell code from other texts, so that names do: those of the languages that people write most. */
const extensions = new Set(codeEndings.map((ending) => `.${ending}`));

const names = new Set([
  'makefile',
  'dockerfile',
  'rakefile',
  'gemfile',
  'vagrantfile',
  'justfile',
  'cmakelists.txt',
]);

/** Source code as text, as it stands. */
export const code = documents(
  'code',
  ({ path, text, archive }) =>
    text !== null &&
    !archive &&
    (extensions.has(extensionOf(path)) || names.has(basename(path).toLowerCase())),
  (path, options) => wholeText(path, maxTextBytes, options),
);
