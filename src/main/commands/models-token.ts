import type { Command } from 'commander';
import { text } from 'node:stream/consumers';
import { PunaError } from '../../shared/error.ts';
import { endpointOf, isOpenWay, tokenName } from '../hub/index.ts';
import { FileSecrets, secretsFile } from '../secrets/index.ts';
import { dataFolder } from '../storage/index.ts';
import { endpointOption, type HubChoice } from './models-hub.ts';
import { Output, runCommand } from './output.ts';

export function addModelsToken(models: Command): void {
  models
    .command('token')
    .description(
      'keep a token of the hub, read from standard input, for that hub alone; the variable HF_TOKEN goes before it',
    )
    .option('--remove', 'forget it')
    .option(...endpointOption)
    .option('--data <dir>', 'data folder')
    .action(({ remove, data, endpoint }: HubChoice & { remove?: boolean }) =>
      runCommand(async () => {
        const output = new Output(false);
        const address = endpointOf(endpoint);
        const secrets = new FileSecrets(secretsFile(dataFolder(data)));
        if (remove) {
          await secrets.remove(tokenName(address));
          output.text('The token is forgotten.\n');
          return;
        }
        // Not as an argument: those are seen by everyone on this machine, and remembered by the shell.
        output.note('Paste the token and end with Ctrl-D:\n');
        const token = (await text(process.stdin)).trim();
        if (!/^[\x21-\x7e]+$/.test(token)) {
          throw new PunaError(
            'invalid-input',
            'This is not a token.',
            'It is one word such as hf_…, from the settings of your account on the hub.',
          );
        }
        await secrets.set(tokenName(address), token);
        output.text(
          `The token for ${address.host} is kept in the data folder; only you can read it.\n${isOpenWay(address) ? openWay(address) : ''}`,
        );
      }),
    );
}

function openWay({ host }: URL): string {
  return `The way to ${host} is not encrypted (http): whoever is on it can read the token.\n`;
}
