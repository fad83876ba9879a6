import { type Found, matches } from './found.ts';

/** Keys and tokens that tell by their beginning who gave them, as their givers document for those who scan for leaks. */
const forms = [
  // OpenAI, Anthropic, OpenRouter and others.
  String.raw`sk-[A-Za-z0-9_-]{20,256}`,
  // Stripe.
  String.raw`(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,256}`,
  // GitHub, GitLab.
  String.raw`gh[pousr]_[A-Za-z0-9]{36,255}`,
  String.raw`github_pat_[A-Za-z0-9_]{22,255}`,
  String.raw`gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,255}`,
  // Amazon, Google.
  String.raw`(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}`,
  String.raw`AIza[A-Za-z0-9_-]{35}`,
  String.raw`ya29\.[A-Za-z0-9_-]{20,512}`,
  // Slack, Telegram, SendGrid.
  String.raw`xox[abeoprs]-[A-Za-z0-9-]{10,256}`,
  String.raw`xapp-[A-Za-z0-9-]{10,256}`,
  String.raw`\d{8,10}:[A-Za-z0-9_-]{35}`,
  String.raw`SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}`,
  // Hugging Face, npm, PyPI.
  String.raw`hf_[A-Za-z0-9]{30,64}`,
  String.raw`npm_[A-Za-z0-9]{36}`,
  String.raw`pypi-[A-Za-z0-9_-]{50,512}`,
  // JSON Web Tokens (RFC 7519): two JSON objects and a signature in base64url.
  String.raw`eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,16384}\.[A-Za-z0-9_-]{0,2048}`,
];
const known = new RegExp(`(?<![A-Za-z0-9_-])(?:${forms.join('|')})(?![A-Za-z0-9_-])`, 'g');

/** Without its end, too, as when a text was cut; a key of 16,384 bits has some 13,000 characters. */
const privateKey =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,20000}-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]{0,20000})/g;

/** A word for a secret, a sign of "is", a value. The words of masks, which stand in brackets, are none. */
const words = String.raw`api[_ -]?key|key|secret|token|pass(?:word|wd|phrase)?|pwd|auth(?:orization)?|bearer|credentials?`;
const koreanWords = '비밀번호|비번|암호|인증키|토큰|시크릿|키';
const beside = new RegExp(
  String.raw`(?<!\[)(?:${words}|${koreanWords})(?:["'\x60\]]{0,2}\s{0,3}(?:[:=]{1,3}>?|->|→|is|은|는)\s{0,3}|\s{1,3})["'\x60]?(?<item>[A-Za-z0-9+/_=-]{16,512})(?![A-Za-z0-9+/_=-])`,
  'gi',
);

/** Private keys, known tokens, and long hexadecimal or base64 values beside a word for a secret. */
export function* keys(text: string): Generator<Found> {
  yield* matches('key', privateKey, text);
  yield* matches('key', known, text, hasLettersAndDigits);
  yield* matches('key', beside, text, isRandom);
}

/** "sk-fading-circle-container" is a name. */
function hasLettersAndDigits(item: string): boolean {
  return /\d/.test(item) && /[A-Za-z]/.test(item);
}

/** Hexadecimal, or at least twenty characters of upper and lower case and digits: names in programs are rarely so. */
function isRandom(item: string): boolean {
  if (!hasLettersAndDigits(item)) return false;
  if (/^(?:[0-9a-f]+|[0-9A-F]+)$/.test(item)) return true;
  // Of the shorter ones, a single digit may number a name.
  const digits = item.length < 32 ? 2 : 1;
  return (
    item.length >= 20 &&
    /[a-z]/.test(item) &&
    /[A-Z]/.test(item) &&
    (item.match(/\d/g)?.length ?? 0) >= digits
  );
}
