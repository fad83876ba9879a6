import { basename } from 'node:path';
import { maxTextBytes } from '../limits.ts';
import { extensionOf, wholeText } from './file-text.ts';
import { documents } from './whole-document.ts';

/** Content cannot tell code from other texts, so that names do: those of the languages that people write most. */
const extensions = new Set(
  [
    'c h cc cpp cxx hh hpp hxx ino m mm cs fs fsx vb java kt kts scala sc groovy gradle clj cljs cljc',
    'js jsx mjs cjs ts tsx mts cts vue svelte astro coffee elm css scss sass less styl',
    'py pyi pyx rb erb rake php pl pm t lua tcl r jl m4 awk sed sh bash zsh fish ps1 psm1 bat cmd',
    'go rs swift dart zig nim d pas pp ada adb ads f f90 f95 for cob cbl asm s v sv vhd vhdl',
    'hs lhs ml mli re rei ex exs erl hrl lisp el scm rkt sml pro prolog idr agda lean',
    'sql graphql gql proto thrift cmake mk make nix tf hcl dockerfile toml yaml yml ini cfg conf',
    'tex sty bib rst adoc asciidoc org typ glsl frag vert hlsl wgsl metal cu cuh cl sol',
  ]
    .join(' ')
    .split(' ')
    .map((extension) => `.${extension}`),
);

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
