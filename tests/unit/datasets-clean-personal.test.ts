import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PersonalKind, personalKinds } from '../../src/shared/contract/clean.ts';
import {
  hasLuhn,
  ibanLengthAt,
  isCardNumber,
  isResidentNumber,
} from '../../src/main/datasets/clean/personal/checks.ts';
import { findPersonalData, mask, maskAll } from '../../src/main/datasets/clean/personal/index.ts';

/** Numbers that were published to be tried with, and addresses that are nobody's. */
const items: Record<PersonalKind, string[]> = {
  email: ['jane.doe@example.com', 'hong_gildong+news@mail.example.co.kr', 'a@b.io', "o'brien@example.org"],
  // Numbers for fiction of Ofcom and of the North American plan; Korean ones of zeros.
  phone: [
    ...['010-0000-0000', '01000000000', '010 0000 0000', '02-000-0000', '(031) 000-0000', '070-0000-0000'],
    ...['+82-10-0000-0000', '+82 2 000 0000', '+44 20 7946 0958', '+442079460958', '+1 (202) 555-0143'],
    ...['(202) 555-0143', '202-555-0143', '1-202-555-0143', '011-000-0000'],
  ],
  // Test cards of Stripe and PayPal.
  card: [
    ...[
      '4242424242424242',
      '4111 1111 1111 1111',
      '5555-5555-5555-4444',
      '378282246310005',
      '3714 496353 98431',
    ],
    ...['6011111111111117', '30569309025904', '3530111333300000', '6200000000000005', '4222222222222'],
  ],
  // Of people born before 1900, long before there were such numbers; the first is an example of python-stdnum.
  rrn: ['971013-9019902', '9710139019902', '500101-0000001'],
  // Made invalid by the Social Security Administration after it had been printed in wallets, in a pamphlet.
  ssn: ['078-05-1120', '219-09-9999'],
  // SWIFT's IBAN registry has these as examples.
  iban: [
    ...['GB29NWBK60161331926819', 'GB29 NWBK 6016 1331 9268 19', 'DE89370400440532013000', 'NO9386011117947'],
    ...['FR1420041010050500013M02606', 'MT84MALT011000012345MTLCAST001S', 'NL91ABNA0417164300'],
  ],
  // RFC 5737 and RFC 3849.
  ip: ['203.0.113.77', '198.51.100.23', '2001:db8::ff00:42:8329', '2001:db8:0:1:1:1:1:1'],
  key: [
    `sk-${'a1B2'.repeat(12)}`,
    `sk-proj-${'a1B2_'.repeat(12)}`,
    `ghp_${'a1'.repeat(18)}`,
    `github_pat_${'a1'.repeat(20)}`,
    // Amazon's documentation.
    'AKIAIOSFODNN7EXAMPLE',
    `xoxb-${'1234-'.repeat(3)}abcdef`,
    `AIza${'a1B2c'.repeat(7)}`,
    `hf_${'aB1'.repeat(11)}`,
    // RFC 7519, 3.1.
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----',
    '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----',
  ],
  password: [],
};
const everyItem = personalKinds.flatMap((kind) => items[kind].map((item) => ({ kind, item })));

describe('personal data', () => {
  it.each(everyItem)('is masked: $kind $item', ({ kind, item }) => {
    expect(maskAll(item)).toBe(`[${kind}]`);
    expect(maskAll(`Write it down: ${item}, please.`)).toBe(`Write it down: [${kind}], please.`);
    expect(maskAll(`제 것은 ${item}입니다.`)).toBe(`제 것은 [${kind}]입니다.`);
  });

  it.each([
    [
      'postgres://admin:hunter2@db.example.com:5432/app',
      'postgres://admin:[password]@db.example.com:5432/app',
    ],
    ['https://user:p%40ss@example.com', 'https://user:[password]@example.com'],
    // The example of Amazon's documentation.
    ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [key]'],
    ['"api_key": "5f4dcc3b5aa765d61d8327deb882cf99"', '"api_key": "[key]"'],
    ['비밀번호는 5f4dcc3b5aa765d61d8327deb882cf99', '비밀번호는 [key]'],
    ['Authorization: Bearer aB3dE5fG7hJ9kL1mN3pQ5', 'Authorization: Bearer [key]'],
    ['-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg', '[key]'],
    ['a@example.com,b@example.com;c@example.com', '[email],[email];[email]'],
  ])('is masked amid the rest: %s', (text, masked) => {
    expect(maskAll(text)).toBe(masked);
  });

  it.each([
    ...[
      'v1.2.3.40',
      'version 10.0.19.41',
      'Chrome/120.0.99.11',
      '1.2.3.4',
      'lodash@4.17.21',
      '3.14159265358979',
    ],
    ...[
      '2024-01-15 10:20:30',
      '2024.01.15',
      '15/01/2024',
      '+2024-01-15 10:20:30',
      '20240115',
      '12:34:56.789',
    ],
    ...['ISBN 978-0-306-40615-7', '9780306406157', 'ISBN 89-8371-000-1', '978-89-546-0000-1'],
    ...['order 2024011512345678', '주문번호 20240115-1234567', 'No. 112-3456789-0123456', '₩1,234,567,890'],
    // Numbers of Korean businesses; milliseconds since 1970; a commit; a UUID; a hash that is no secret.
    ...['123-45-67890', '1700000000000', '3f786850e387550fdab836ed7e6dc881de23001b'],
    ...[
      '123e4567-e89b-12d3-a456-426614174000',
      'sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    ],
    ...[
      '127.0.0.1',
      '192.168.0.10',
      '255.255.255.0',
      '0.0.0.0',
      'std::vector',
      'Abc::Def',
      '00:1A:2B:3C:4D:5E',
    ],
    ...['git@github.com:owner/name.git', 'logo@2x.png', '@decorator', 'user@localhost', 'x += 12345678'],
    ...[
      '4242424242424241',
      '4111 1111 1111 1112',
      '0000 0000 0000 0000',
      '1234567812345670',
      '4.242424242424242',
    ],
    ...['GB29NWBK60161331926818', 'XX29NWBK60161331926819', '000-12-3456', '666-12-3456', '900-12-3456'],
    ...['971013-9019903', '971313-9019902', '970230-9019902', 'sk-fading-circle-container-large'],
    ...[
      'https://example.com/a:b@c',
      'https://user:${PASSWORD}@example.com',
      'keyboard: getUserProfileImageUrl',
    ],
    ...[
      'secret: correct horse battery staple',
      'the key is under the doormat',
      'token = response.accessToken',
    ],
    ...['[email] [phone] [key] [password]', '전화 주세요', '1588-0000 hours 9-18', '100-200-300', 'a+b@c'],
  ])('is not found in %s', (text) => {
    expect(findPersonalData(text)).toEqual([]);
  });

  it('is gone behind masks, in whatever text it stands', () => {
    const word = fc.constantFrom(
      'call',
      'me',
      'it is',
      '연락처',
      '계좌',
      '"',
      '\n',
      '그리고',
      '12',
      '-',
      '(',
      ')',
    );
    const prose = fc.array(word, { maxLength: 5 }).map((words) => words.map((one) => `${one} `).join(''));
    fc.assert(
      fc.property(prose, fc.constantFrom(...everyItem), prose, (before, { item, kind }, after) => {
        const masked = maskAll(`${before}Here: ${item} ${after}`);
        expect(masked).not.toContain(item);
        expect(masked.startsWith(`${before}Here: [${kind}]`)).toBe(true);
      }),
    );
  });

  it('is found no more once it was masked, in any mixture of texts, items and signs', () => {
    const sign = fc.constantFrom(
      '',
      ' ',
      '-',
      '.',
      '@',
      ':',
      '/',
      '://u:',
      '+',
      '0',
      '1',
      'a',
      'key=',
      '[',
      ']',
      '키',
      '\n',
    );
    const piece = fc.oneof(
      sign,
      fc.constantFrom(...everyItem.map(({ item }) => item)),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (texts) => {
        const masked = maskAll(texts.join(''));
        expect(findPersonalData(masked)).toEqual([]);
        expect(maskAll(masked)).toBe(masked);
      }),
      { numRuns: 2000 },
    );
  });

  it('that is not looked for stays, and is not taken for another kind', () => {
    const text = 'card 4111 1111 1111 1111, mail a@example.com';
    expect(mask(text, (kind) => kind !== 'card')).toEqual({
      text: 'card 4111 1111 1111 1111, mail [email]',
      found: ['email'],
    });
  });

  it('is looked for in long runs of one sign, where a careless pattern would never end', () => {
    for (const sign of [
      'a',
      '1',
      'a.',
      '1.',
      '1-',
      'a@',
      '+1',
      'A1',
      '-',
      ' ',
      ':',
      'key=',
      '://',
      '-----BEGIN PRIVATE KEY-----',
    ]) {
      const text = sign.repeat(200_000 / sign.length);
      expect(maskAll(text).length).toBeLessThanOrEqual(text.length);
    }
  });
});

describe('check digits', () => {
  const digits = fc.stringMatching(/^\d{6,18}$/);

  it('of Luhn: known numbers, and no number with one digit changed or any two unlike neighbours but 0 and 9 swapped', () => {
    // From ISO/IEC 7812-1's usual example.
    expect([...'0123456789'].filter((last) => hasLuhn(`7992739871${last}`))).toEqual(['3']);
    for (const card of items.card) expect(isCardNumber(card)).toBe(true);
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (start, place, step) => {
        const valid = [...'0123456789'].map((last) => start + last).filter(hasLuhn);
        expect(valid).toHaveLength(1);
        const [number = ''] = valid;
        const at = place % number.length;
        const changed = (Number(number[at]) + step) % 10;
        expect(hasLuhn(number.slice(0, at) + changed + number.slice(at + 1))).toBe(false);
      }),
    );
  });

  it('of IBAN: examples of the registry, and none of them with two neighbours swapped', () => {
    for (const item of items.iban) expect(ibanLengthAt(item, 0)).toBe(item.length);
    for (const item of items.iban.filter((text) => !text.includes(' '))) {
      for (let at = 4; at + 1 < item.length; at++) {
        if (item[at] === item[at + 1]) continue;
        const swapped = item.slice(0, at) + item.charAt(at + 1) + item.charAt(at) + item.slice(at + 2);
        expect(ibanLengthAt(swapped, 0)).toBe(0);
      }
    }
  });

  it('of Korean resident numbers: one last digit of ten, on days that exist, until October 2020', () => {
    const valid = (start: string) => [...'0123456789'].filter((last) => isResidentNumber(start + last));
    expect(valid('971013-901990')).toEqual(['2']);
    expect(valid('500101-000000')).toEqual(['1']);
    for (const noDay of ['501301-900000', '500132-900000', '500229-900000', '500100-900000'])
      expect(valid(noDay)).toEqual([]);
    expect(valid('520229-900000')).toHaveLength(1);
    // 2099 is nobody's year of birth yet.
    expect(valid('991231-300000')).toHaveLength(10);
    expect(valid('991231300000')).toHaveLength(1);
  });
});
