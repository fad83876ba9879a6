/** Fences of Markdown with what stands between, or up to the end where the second is missing. */
const fenced = /(?:```[^]*?(?:```|$))|(?:~~~[^]*?(?:~~~|$))/g;
const inline = /`[^`\n]{1,200}`/g;
/** Addresses, tags and masks are in no language. */
const noWords = /\bhttps?:\/\/\S+|\bwww\.\S+|[\w.+-]+@[\w.-]+|<\/?[a-z][^<>\n]{0,200}>|\[[a-z]{2,8}\]/gi;

const signsOfCode = /[{}()[\]<>=;_\\/|&$#@*+^~%]|\b\w+\.\w+/g;
/** A sentence has a bracket or a slash now and then; of a line of code, each tenth character or so is a sign. */
const maxSignsPerCharacter = 0.08;
const keyword =
  /^\s*(?:import|from|export|const|let|var|def|class|function|return|if|elif|else|for|while|switch|case|try|catch|public|private|static|void|int|SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|git|npm|pip|sudo|cd|\$|#!|\/\/|@)(?=\s|\W).*[{}()=;:,"'/-]/;

/** Databases' statements have few signs. */
const statement =
  /^\s*(?:SELECT\b.*\bFROM|INSERT INTO|UPDATE\b.*\bSET|DELETE FROM|CREATE TABLE|ALTER TABLE)\b/;

/** What of a text is in a human language: without code, addresses and tags. */
export function proseOf(text: string): string {
  return text
    .replaceAll(fenced, '\n')
    .replaceAll(inline, ' ')
    .replaceAll(noWords, ' ')
    .split('\n')
    .filter((line) => !isCode(line))
    .join('\n');
}

function isCode(line: string): boolean {
  const characters = line.replaceAll(/\s/g, '').length;
  if (characters === 0) return false;
  if (statement.test(line)) return true;
  const signs = line.match(signsOfCode)?.length ?? 0;
  return signs > characters * maxSignsPerCharacter && (signs > 2 || keyword.test(line));
}
