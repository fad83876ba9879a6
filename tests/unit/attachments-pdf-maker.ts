/** A page of a made PDF: lines of English in Helvetica and of Korean in a font that the PDF only names. */
export interface MadePage {
  english: string[];
  /** As bytes of EUC-KR, the way the `KSCms-UHC-H` encoding wants them, in hexadecimal. */
  korean: string[];
}

/**
 * A small PDF, written by hand so that it holds what real Korean ones often do: text in a legacy encoding with a font that is not embedded, which
 * can be read only with the tables of that encoding.
 */
export function makePdf(pages: MadePage[]): Uint8Array {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  add('<< /Type /Catalog /Pages 2 0 R >>');
  add(
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${7 + index * 2} 0 R`).join(' ')}] >>`,
  );
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>');
  add('<< /Type /Font /Subtype /Type0 /BaseFont /Batang /Encoding /KSCms-UHC-H /DescendantFonts [5 0 R] >>');
  add(
    '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Batang /DW 1000 /FontDescriptor 6 0 R' +
      ' /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >> >>',
  );
  add(
    '<< /Type /FontDescriptor /FontName /Batang /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880' +
      ' /Descent -120 /CapHeight 700 /StemV 80 >>',
  );
  for (const { english, korean } of pages) {
    const lines = [
      'BT /F1 12 Tf 14 TL 50 780 Td',
      ...english.map((line) => `(${line}) Tj T*`),
      '/F2 12 Tf',
      ...korean.map((line) => `<${line}> Tj T*`),
      'ET',
    ].join('\n');
    const page = add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${objects.length + 2} 0 R` +
        ' /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>',
    );
    add(`<< /Length ${lines.length} >>\nstream\n${lines}\nendstream`);
    if (page !== objects.length - 1)
      throw new Error('The page and its contents are not where the page list says.');
  }
  let text = '%PDF-1.4\n';
  const offsets = objects.map((body, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const table = text.length;
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`;
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return new TextEncoder().encode(text);
}
