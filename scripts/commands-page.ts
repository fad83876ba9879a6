import { readFile, writeFile } from 'node:fs/promises';
import type { Command, Option } from 'commander';
import { format, resolveConfig } from 'prettier';
import { commandLine } from '../src/main/commands/program.ts';

/**
 * Writes the list of all commands in docs/commands.md, behind what stands there before the mark, as the program itself
 * describes them:
 *
 *     npm run docs:commands
 */
export const page = 'docs/commands.md';
const mark = '<!-- From here on, npm run docs:commands writes this page. -->';

/** The page as it should be, with the words before the mark as they are in `now`. */
export async function commandsPage(now: string): Promise<string> {
  const [before = ''] = now.split(mark);
  const list = leaves(commandLine()).map(describe);
  const config = await resolveConfig(page);
  return format([before, mark, ...list].join('\n\n'), { ...config, parser: 'markdown' });
}

/** A command that does something, with the words that lead to it. */
interface Leaf {
  words: string;
  command: Command;
}

/** All commands that do something themselves, in the order of the help. */
export function leaves(command: Command, words = command.name()): Leaf[] {
  if (command.commands.length === 0) return [{ words, command }];
  return command.commands.flatMap((each) => leaves(each, `${words} ${each.name()}`));
}

function describe({ words, command }: Leaf): string {
  const places = command.registeredArguments.map((argument) => {
    const place = argument.name() + (argument.variadic ? '...' : '');
    return argument.required ? `<${place}>` : `[${place}]`;
  });
  const visible = command.options.filter(({ hidden }) => !hidden);
  const rows = [
    ...command.registeredArguments.flatMap(({ description }, index) =>
      description ? [row(places[index] ?? '', description)] : [],
    ),
    ...visible.map((option) => row(option.flags, explain(option))),
  ];
  return [
    `### ${words}`,
    `\`${[words, ...places].join(' ')}\`: ${command.description()}`,
    rows.length > 0 ? ['| | |', '| --- | --- |', ...rows].join('\n') : '',
  ].join('\n\n');
}

function row(name: string, text: string): string {
  return `| \`${name}\` | ${text.replaceAll('|', '\\|')} |`;
}

/** What is told of an option in its help. */
function explain({ description, argChoices, defaultValue, mandatory, negate }: Option): string {
  const known: unknown = negate ? undefined : defaultValue;
  const shown = Array.isArray(known) ? known.join(',') : known;
  const more = [
    argChoices && `one of ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`,
    typeof shown === 'string' || typeof shown === 'number' ? `otherwise \`${shown}\`` : undefined,
    mandatory && 'needed',
  ].filter(Boolean);
  return more.length > 0 ? `${description} (${more.join('; ')})` : description;
}

if (import.meta.main) await writeFile(page, await commandsPage(await readFile(page, 'utf8')));
