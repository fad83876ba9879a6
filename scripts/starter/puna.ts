import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { z } from 'zod';

const cli = resolve(import.meta.dirname, '../../src/main/cli.ts');

/**
 * Runs a command of Puna's own command line, with what it tells as JSON lines. `log`: a file that these are added to.
 * Errors: it fails, after it has said why on stderr.
 */
export async function puna(
  args: readonly string[],
  { log = null, onEvent = () => undefined }: { log?: string | null; onEvent?: (event: Event) => void } = {},
): Promise<void> {
  console.log(`puna ${args.join(' ')}`);
  const child = spawn(process.execPath, [cli, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    if (log !== null) await appendFile(log, `${line}\n`);
    onEvent(eventSchema.parse(JSON.parse(line)));
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`puna ${args[0] ?? ''} has failed.`);
}

/** What is used of its events. */
export const eventSchema = z.looseObject({
  type: z.string(),
  step: z.number().optional(),
  loss: z.number().optional(),
  tokensPerSecond: z.number().optional(),
  validationLoss: z.number().nullish(),
  finish: z.string().optional(),
});
type Event = z.output<typeof eventSchema>;
