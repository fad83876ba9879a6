import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../tests/browser/browser.ts';
import { icnsFile, icoFile, type IconPicture } from './packaging/icon-files.ts';

// Draws the page's icon as the installers need it: PNG files for Linux, an ICO for Windows, an ICNS for macOS.
//   npm run icon
// Needs a browser, so what it writes to packaging/ is in the repository.

const source = 'src/renderer/public/icon.svg';
const target = 'packaging';
const sizes = [16, 24, 32, 48, 64, 128, 256, 512];
/** On macOS an icon has air around it: 824 of 1024 points, as Apple's templates have it. */
const macShare = 824 / 1024;

/** Runs in the browser, whose types this program does not have. */
const drawInPage = `async ({ svg, size, share }) => {
  const image = new Image(size, size);
  image.src = svg;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  const side = Math.round(size * share);
  const margin = (size - side) / 2;
  context.drawImage(image, margin, margin, side, side);
  const [, png] = canvas.toDataURL('image/png').split(',');
  return { png, pixels: [...context.getImageData(0, 0, size, size).data] };
}`;

const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  const svg = `data:image/svg+xml;base64,${(await readFile(source)).toString('base64')}`;
  const pictures = await drawAll(page, svg, sizes, 1);
  await mkdir(join(target, 'icons'), { recursive: true });
  for (const { size, png } of pictures) {
    await writeFile(join(target, 'icons', `${size}x${size}.png`), png);
  }
  await writeFile(join(target, 'icon.ico'), icoFile(pictures));
  await writeFile(join(target, 'icon.icns'), icnsFile(await drawAll(page, svg, [...sizes, 1024], macShare)));
} finally {
  await browser.close();
}

async function drawAll(page: Page, svg: string, wanted: number[], share: number): Promise<IconPicture[]> {
  const pictures: IconPicture[] = [];
  for (const size of wanted) pictures.push(await draw(page, svg, size, share));
  return pictures;
}

/** `share`: how much of the side the drawing takes. */
async function draw(page: Page, svg: string, size: number, share: number): Promise<IconPicture> {
  const { png, pixels } = await page.evaluate<{ png: string; pixels: number[] }>(
    `(${drawInPage})(${JSON.stringify({ svg, size, share })})`,
  );
  return { size, png: Buffer.from(png, 'base64'), pixels: Buffer.from(pixels) };
}
