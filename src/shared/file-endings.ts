import type { BrowsedKind } from './contract/index.ts';

/** Those of source code, in the languages that people write most. */
export const codeEndings: readonly string[] = [
  'c h cc cpp cxx hh hpp hxx ino m mm cs fs fsx vb java kt kts scala sc groovy gradle clj cljs cljc',
  'js jsx mjs cjs ts tsx mts cts vue svelte astro coffee elm css scss sass less styl',
  'py pyi pyx rb erb rake php pl pm t lua tcl r jl m4 awk sed sh bash zsh fish ps1 psm1 bat cmd',
  'go rs swift dart zig nim d pas pp ada adb ads f f90 f95 for cob cbl asm s v sv vhd vhdl',
  'hs lhs ml mli re rei ex exs erl hrl lisp el scm rkt sml pro prolog idr agda lean',
  'sql graphql gql proto thrift cmake mk make nix tf hcl dockerfile toml yaml yml ini cfg conf',
  'tex sty bib rst adoc asciidoc org typ glsl frag vert hlsl wgsl metal cu cuh cl sol',
].flatMap((line) => line.split(' '));

/** Those of exports, tables, mails and documents. */
const dataEndings = [
  'json jsonl ndjson zip txt text raw csv tsv parquet mbox mbx eml pdf docx html htm xhtml',
  'md markdown mdown mkd mdx qmd rmd',
].flatMap((line) => line.split(' '));

/** By which names files of a kind are looked for, in folders and in what a person types. */
export const fileEndings: Record<BrowsedKind, RegExp> = {
  gguf: /\.gguf$/i,
  // Those of models and adapters, of compressed deltas, of recipes for merges, and of importance matrices.
  weights: /\.(gguf|safetensors|bin|pt|pth|zst|ya?ml|imatrix|dat)$/i,
  text: /\.(txt|md|raw|csv|jsonl?)$/i,
  data: new RegExp(`\\.(${[...dataEndings, ...codeEndings].join('|')})$`, 'i'),
};
