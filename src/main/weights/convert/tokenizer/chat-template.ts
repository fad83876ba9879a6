import { z } from 'zod';
import { readDescribedJson, readDescribedText } from '../described-file.ts';
import { type GgufEntry, text, texts } from '../gguf-entries.ts';

/** One template, or several by name; anything else is none. */
const templatesSchema = z
  .union([
    z.string().transform((template) => [{ name: 'default', template }]),
    z.array(z.looseObject({ name: z.string(), template: z.string() })).max(64),
  ])
  .nullish()
  .catch(undefined);

/**
 * How a conversation is put to the model. As transformers has it, chat_template.jinja comes first, then chat_template.json,
 * then tokenizer_config.json. Errors: those of `readDescribedText` and `readDescribedJson`.
 */
export async function chatTemplateEntries(
  files: ReadonlyMap<string, string>,
  inConfig: unknown,
): Promise<GgufEntry[]> {
  const named: GgufEntry[] = [];
  let usual: string | undefined;
  for (const { name, template } of (await readTemplates(files)) ?? templatesSchema.parse(inConfig) ?? []) {
    const plain = name.replaceAll(/[^A-Za-z0-9]/g, '_');
    if (plain === 'default') usual = template;
    else if (plain !== '') named.push([`tokenizer.chat_template.${plain}`, text(template)]);
  }
  if (named.length > 0) {
    const names = named.map(([key]) => key.replace('tokenizer.chat_template.', ''));
    named.push(['tokenizer.chat_templates', texts([...new Set(names)])]);
  }
  return usual === undefined ? named : [...named, ['tokenizer.chat_template', text(usual)]];
}

async function readTemplates(files: ReadonlyMap<string, string>) {
  const jinja = files.get('chat_template.jinja');
  if (jinja !== undefined) return [{ name: 'default', template: await readDescribedText(jinja) }];
  const json = files.get('chat_template.json');
  if (json === undefined) return undefined;
  return (await readDescribedJson(json, z.looseObject({ chat_template: templatesSchema }))).chat_template;
}
