import { chatImporter } from './chat-importer.ts';
import { chatgpt } from './chatgpt.ts';
import { claude } from './claude.ts';
import { discord } from './discord.ts';
import type { Importer } from './importer.ts';
import { kakaotalk } from './kakaotalk.ts';
import { oasst } from './oasst.ts';
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
];
