/** What tells a number of a card, a person or an account from any other that looks like it. All take digits alone. */

/** ISO/IEC 7812-1, annex B: from the right, each second digit doubled, the digits' sum is a multiple of ten. */
export function hasLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const value = at % 2 === 1 ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** How numbers of issuers begin, and how long they are: without it, each tenth long number would be a card. */
const issuers: readonly [begins: RegExp, lengths: readonly number[]][] = [
  // Visa; Mastercard; American Express; Diners Club; Discover; JCB; UnionPay; Maestro; Korean cards.
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:30[0-5]|3[689])/, [14, 16]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [13, 14, 15, 16, 17, 18, 19]],
  [/^9[0-9]/, [16]],
];

/** Whether digits are a payment card's number; other signs are ignored. */
export function isCardNumber(item: string): boolean {
  const digits = item.replaceAll(/\D/g, '');
  const issuer = issuers.some(([begins, lengths]) => begins.test(digits) && lengths.includes(digits.length));
  // Sixteen equal digits are a placeholder.
  return issuer && hasLuhn(digits) && new Set(digits).size > 1;
}

const residentWeights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

/** Century in which the person was born, by the seventh digit, which also tells sex and nationality. */
const centuries = [1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800];

/** From 5 October 2020 on, the last six digits are drawn by lot and have no check digit (주민등록법 시행규칙). */
const firstWithoutCheck = 2020_10_05;

/**
 * Whether digits are a Korean resident registration number: a date of birth that exists, and the check digit of citizens
 * or foreigners; without check digit where it was given at birth since October 2020 and written with its hyphen.
 */
export function isResidentNumber(item: string): boolean {
  const digits = item.replaceAll(/\D/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  const year = (centuries[Number(digits[6])] ?? 0) + Number(digits.slice(0, 2));
  const month = Number(digits.slice(2, 4));
  const day = Number(digits.slice(4, 6));
  if (!isDate(year, month, day)) return false;
  if (item.includes('-') && year * 10_000 + month * 100 + day >= firstWithoutCheck) return true;
  const sum = residentWeights.reduce((total, weight, at) => total + weight * Number(digits[at]), 0);
  const isForeigner = /[5-8]/.test(digits.charAt(6));
  return ((isForeigner ? 13 : 11) - (sum % 11)) % 10 === Number(digits[12]);
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Characters of a bank account number by country (SWIFT IBAN registry, ISO 13616). */
const ibanLengths = new Map(
  Object.entries({
    15: 'NO',
    16: 'BE',
    18: 'DK FI FO GL NL SD FK',
    19: 'MK SI',
    20: 'AT BA EE KZ LT LU XK MN',
    21: 'CH HR LI LV',
    22: 'BG BH CR DE GB GE IE ME RS VA',
    23: 'AE GI IL IQ OM SO TL',
    24: 'AD CZ ES MD PK RO SA SE SK TN VG',
    25: 'LY PT ST',
    26: 'IS TR',
    27: 'BI DJ FR GR IT MC MR SM',
    28: 'AL AZ BY CY DO GT HU LB NI PL SV',
    29: 'BR EG PS QA UA',
    30: 'JO KW MU YE',
    31: 'MT SC',
    32: 'LC',
    33: 'RU',
  }).flatMap(([length, countries]) => countries.split(' ').map((country) => [country, Number(length)])),
);

/** Characters of the account number that begins here, spaces between its groups included; 0: none begins. */
export function ibanLengthAt(text: string, start: number): number {
  const length = ibanLengths.get(text.slice(start, start + 2));
  if (length === undefined) return 0;
  let compact = '';
  let at = start;
  while (compact.length < length) {
    if (text[at] === ' ' && text[at + 1] !== ' ') at++;
    const character = text.charAt(at++);
    if (!/[A-Z0-9]/.test(character)) return 0;
    compact += character;
  }
  return /[A-Za-z0-9]/.test(text.charAt(at)) || !isIban(compact) ? 0 : at - start;
}

/** ISO 7064, MOD 97-10: country and check digits moved to the end, letters as 10 to 35, the remainder is 1. */
function isIban(compact: string): boolean {
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
