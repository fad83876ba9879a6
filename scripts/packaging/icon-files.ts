/** A picture of a square icon: as a PNG file, and as bare pixels (red, green, blue, alpha; rows from above). */
export interface IconPicture {
  /** Length of a side in pixels. */
  size: number;
  png: Buffer;
  pixels: Buffer;
}

/** Apple's names for PNG pictures by their size: once for usual screens, once for those with two pixels to a point. */
const icnsTypes: Record<number, string[]> = {
  32: ['ic11'],
  64: ['ic12'],
  128: ['ic07'],
  256: ['ic08', 'ic13'],
  512: ['ic09', 'ic14'],
  1024: ['ic10'],
};

/** An icon file of macOS: big-endian blocks of type, length and PNG. Pictures of sizes that it has no name for are left out. */
export function icnsFile(pictures: readonly IconPicture[]): Buffer {
  const blocks = pictures.flatMap(({ size, png }) =>
    (icnsTypes[size] ?? []).map((type) => Buffer.concat([icnsHeader(type, png.length), png])),
  );
  const body = Buffer.concat(blocks);
  return Buffer.concat([icnsHeader('icns', body.length), body]);
}

function icnsHeader(type: string, bytes: number): Buffer {
  const header = Buffer.alloc(8);
  header.write(type, 'latin1');
  header.writeUInt32BE(header.length + bytes, 4);
  return header;
}

/** From this size on PNG is what Windows expects; older readers, such as that of NSIS, want smaller pictures as bitmaps. */
const pngFromSize = 256;

/** An icon file of Windows, with up to 256 pixels: a table of contents, then the pictures. */
export function icoFile(pictures: readonly IconPicture[]): Buffer {
  const fitting = pictures.filter(({ size }) => size <= 256);
  const contents = fitting.map((picture) => (picture.size >= pngFromSize ? picture.png : bitmap(picture)));
  const [headerBytes, entryBytes] = [6, 16];
  const header = Buffer.alloc(headerBytes + entryBytes * fitting.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(fitting.length, 4);
  let offset = header.length;
  for (const [index, { size }] of fitting.entries()) {
    const entry = headerBytes + entryBytes * index;
    const bytes = contents[index]?.length ?? 0;
    // A byte has no 256: that is written as 0.
    header.writeUInt8(size % 256, entry);
    header.writeUInt8(size % 256, entry + 1);
    header.writeUInt16LE(1, entry + 4);
    header.writeUInt16LE(32, entry + 6);
    header.writeUInt32LE(bytes, entry + 8);
    header.writeUInt32LE(offset, entry + 12);
    offset += bytes;
  }
  return Buffer.concat([header, ...contents]);
}

/** BITMAPINFOHEADER, rows from below as blue, green, red, alpha, and a mask of one bit a pixel that nobody reads beside alpha. */
function bitmap({ size, pixels }: IconPicture): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(header.length, 0);
  header.writeInt32LE(size, 4);
  // Picture and mask count together.
  header.writeInt32LE(size * 2, 8);
  header.writeUInt16LE(1, 12);
  header.writeUInt16LE(32, 14);
  const rowBytes = size * 4;
  const rows = Array.from({ length: size }, (_, row) =>
    pixels.subarray((size - 1 - row) * rowBytes, (size - row) * rowBytes),
  );
  const colours = Buffer.concat(rows);
  for (let pixel = 0; pixel < colours.length; pixel += 4) {
    const red = colours.readUInt8(pixel);
    colours.writeUInt8(colours.readUInt8(pixel + 2), pixel);
    colours.writeUInt8(red, pixel + 2);
  }
  const maskRowBytes = Math.ceil(size / 32) * 4;
  return Buffer.concat([header, colours, Buffer.alloc(maskRowBytes * size)]);
}
