/** Bytes of a file's beginning that tell text from data. */
const probeLength = 64 * 1024;
/** Share of control characters from which on a file is data: text has a form feed or an escape here and there. */
const maxControlShare = 0.005;
/** Share of two-byte characters in the plane of EUC-KR from which on a text is Korean. In Latin text, an accented letter stands before a plain one. */
const minKoreanShare = 0.8;

function isControl(byte: number): boolean {
  return byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 27;
}

function looksBinary(probe: Uint8Array): boolean {
  let controls = 0;
  for (const byte of probe) {
    if (byte === 0) return true;
    if (isControl(byte)) controls++;
  }
  return controls > probe.length * maxControlShare;
}

function looksKorean(bytes: Uint8Array): boolean {
  let pairs = 0;
  let korean = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x80) continue;
    pairs++;
    if (byte >= 0xa1 && byte <= 0xfe && (bytes[index + 1] ?? 0) >= 0xa1) korean++;
    index++;
  }
  return pairs > 0 && korean >= pairs * minKoreanShare;
}

/** The text, or null where the bytes are none in this encoding. */
function decodeStrictly(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * A file's bytes as text with `\n` as line end, or null if they are no text. Knows UTF-8, UTF-16 with a mark at its beginning, EUC-KR
 * (with what Windows adds to it), and takes anything else that has no control characters for Windows-1252.
 */
export function decodeText(bytes: Uint8Array): string | null {
  const text = decode(bytes);
  return text?.replace(/\r\n?/g, '\n') ?? null;
}

function decode(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeStrictly(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeStrictly(bytes, 'utf-16be');
  if (looksBinary(bytes.subarray(0, probeLength))) return null;
  const utf8 = decodeStrictly(bytes, 'utf-8');
  if (utf8 !== null) return utf8;
  const korean = looksKorean(bytes) ? decodeStrictly(bytes, 'euc-kr') : null;
  return korean ?? new TextDecoder('windows-1252').decode(bytes);
}
