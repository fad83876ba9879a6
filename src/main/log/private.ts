/** Folders that a log may name. */
export interface Places {
  /** The person's home. */
  home: string;
  dataFolder: string;
  /** Where Puna's own program lies. */
  program: string;
}

const leftOut = '<left out>';
const somePath = '<path>';

/** Files and folders that Puna itself has named; what is in them may be named after something of the person. */
const ownNames =
  /^(puna\.db(-wal|-shm|\.version-\d+\.backup)?|lock\.db|machine\.json|logs|electron|uploads)$/;

/** Files that people have, where only the name stands. */
const documents =
  /\S+\.(?:txt|md|pdf|docx?|csv|tsv|jsonl?|html?|zip|gguf|safetensors|eml|mbox|parquet|xlsx?|png|jpe?g)\b/gi;

/** What keys and tokens look like, whoever has made them. */
const secrets = [
  /\b(?:hf_|sk-|gh[pousr]_|github_pat_)[\w-]{6,}/g,
  /\b(?:Bearer|Basic)\s+[\w+/=.~-]{6,}/gi,
  /\b(?:api[-_ ]?key|token|secret|password|authorization)["']?\s*[=:]\s*\S+/gi,
  // So many signs, digits among them, are no word of a language.
  /\b(?=[\w-]*\d)(?=[\w-]*[a-zA-Z])[\w-]{32,}\b/g,
];

/** Longer lines say no more about what went wrong. */
const longestLine = 400;

/**
 * A line without what may be private: text in quotation marks, tokens, addresses, names of files. What is not certain to be harmless is
 * left out. Puna's own files keep a short name, so that a trace still leads to a place in the program.
 */
export function withoutPrivateText(line: string, places: Places): string {
  const named = withoutAddresses(withoutQuotations(line.replaceAll(/\p{Cc}+/gu, ' ').trim()), places);
  const text = secrets.reduce((so, pattern) => so.replaceAll(pattern, '<secret>'), named);
  return text.length > longestLine ? `${text.slice(0, longestLine)}…` : text;
}

/** A folder for a report: the path of a home has the person's name in it. */
export function shortPath(folder: string, home: string): string {
  const isInside = home.length > 1 && folder.startsWith(home) && /^$|[\\/]/.test(folder.charAt(home.length));
  return isInside ? `~${folder.slice(home.length)}` : folder;
}

/**
 * Parsers quote what they stumbled on, which may hold quotation marks itself: everything goes from the first mark of a kind to the last,
 * or to the end where it is the only one. An apostrophe within a word is none.
 */
function withoutQuotations(line: string): string {
  const quotations = [/"(?:.*"|.*$)/, /`(?:.*`|.*$)/, /“(?:.*”|.*$)/, /(?<![\w’])'(?:.*'(?!\w)|.*$)/];
  return quotations.reduce((text, pattern) => text.replace(pattern, leftOut), line);
}

/** Stands for what is kept while the rest is left out; of Unicode's signs, one that means nothing. */
const mark = '\ue000';

function withoutAddresses(line: string, { home, dataFolder, program }: Places): string {
  const kept: string[] = [];
  const keep = (text: string): string => `${mark}${kept.push(text) - 1}${mark}`;
  return line
    .replaceAll(mark, '')
    .replaceAll(/\b(?!file:|node:)[a-z][\w+.-]*:\/\/\S+/gi, '<address>')
    .replaceAll(/\bnode:[\w/]+(?::\d+){0,2}/g, keep)
    .replaceAll(inside(program), (_all, path: string) => keep(`puna/${path.replaceAll('\\', '/')}`))
    .replaceAll(nativeSource, (_all, place: string) => keep(place))
    .replaceAll(inside(dataFolder), (_all, path: string) => {
      const [first = ''] = path.split(/[\\/]/);
      return keep(`${shortPath(dataFolder, home)}/${ownNames.test(first) ? first : somePath}`);
    })
    .replace(anyPath, somePath)
    .replaceAll(documents, somePath)
    .replaceAll(new RegExp(`${mark}(\\d+)${mark}`, 'g'), (_all, index: string) => kept[Number(index)] ?? '');
}

/** Of native code, as assertions name them. */
const nativeSource = /(?:[A-Za-z]:)?(?:[\\/][\w.-]+)*[\\/]?\b([\w-]+\.(?:c|cc|cpp|cu|h|hpp|m|metal):\d+)/g;

/** A path may hold blanks, so that nobody can tell where it ends: it goes to the end of the line. */
const anyPath = /(?<![\w.>-])(?:file:\/\/)?(?:~?[\\/]|[A-Za-z]:[\\/])\S.*$/;

/** A path in a folder, up to what cannot belong to one of ours; what is found is the part below the folder. */
function inside(folder: string): RegExp {
  const parts = folder.split(/[\\/]/).map((part) => RegExp.escape(part));
  return new RegExp(String.raw`(?:file:\/\/\/?)?${parts.join(String.raw`[\\/]`)}[\\/]([^\s'"()<>]*)`, 'g');
}
