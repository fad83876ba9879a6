import { crc32, deflateRawSync } from 'node:zlib';

/** A file to be put into an archive. */
export interface ZippedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the archive says it would be unpacked, where that is a lie. */
  readonly claimed?: number;
  /** The name as bytes of another encoding than UTF-8, which the archive does not tell. */
  readonly rawName?: Uint8Array;
  /** The archive says that it is encrypted. */
  readonly encrypted?: true;
  /** Not packed. */
  readonly stored?: true;
  /** What kind of file it is on Unix, and who may read it. */
  readonly mode?: number;
}

/** A ZIP archive, written by APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; names are not checked. */
export function zipped(files: readonly ZippedFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, claimed, rawName, encrypted, stored, mode = 0 } of files) {
    const packed = stored ? Buffer.from(bytes) : deflateRawSync(bytes);
    const nameBytes = Buffer.from(rawName ?? Buffer.from(name));
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((rawName ? 0 : 0x800) + (encrypted ? 1 : 0), 2);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimed ?? bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(mode * 2 ** 16, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, nameBytes]));
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}
