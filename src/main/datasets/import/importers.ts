import { chatImporter } from './chat-importer.ts';
import { chatgpt } from './chatgpt.ts';
import { claude } from './claude.ts';
import { code } from './code.ts';
import { csv } from './csv.ts';
import { discord } from './discord.ts';
import { docx } from './docx.ts';
import { eml } from './eml.ts';
import { html } from './html.ts';
import type { Importer } from './importer.ts';
import { kakaotalk } from './kakaotalk.ts';
import { markdown } from './markdown.ts';
import { mbox } from './mbox.ts';
import { oasst } from './oasst.ts';
import { parquet } from './parquet.ts';
import { pdf } from './pdf.ts';
import { slack } from './slack.ts';
import { telegram } from './telegram.ts';
import { whatsapp } from './whatsapp.ts';

/** Every kind of export and document, asked in this order; the first that recognises a file reads it. */
export const importers: readonly Importer[] = [
  chatgpt,
  claude,
  oasst,
  chatImporter(telegram),
  chatImporter(discord),
  chatImporter(slack),
  chatImporter(kakaotalk),
  chatImporter(whatsapp),
  parquet,
  pdf,
  docx,
  mbox,
  eml,
  html,
  csv,
  markdown,
  code,
];
