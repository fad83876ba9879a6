import { PunaError } from '../../shared/error.ts';
import { endpointOf, environmentToken, Hub, tokenName } from '../hub/index.ts';
import { FileSecrets, secretsFile } from '../secrets/index.ts';
import { dataFolder } from '../storage/index.ts';

export interface HubChoice {
  endpoint?: string;
  data?: string;
}

/** The hub as the options, the environment and the data folder say. A token of the environment goes before the one that is kept for it. */
export async function openHub({ endpoint, data }: HubChoice): Promise<Hub> {
  const address = endpointOf(endpoint);
  const token = environmentToken(address) ?? (await keptToken(data, address));
  return new Hub({ endpoint: address.href, token });
}

/** What everybody may have needs no token: one that cannot be opened is said to be left out. */
async function keptToken(data: string | undefined, endpoint: URL): Promise<string | null> {
  try {
    return await new FileSecrets(secretsFile(dataFolder(data))).get(tokenName(endpoint));
  } catch (thrown) {
    if (!(thrown instanceof PunaError) || thrown.code !== 'file-damaged') throw thrown;
    // Also where nobody looks at a terminal: whatever is refused then is refused because of this.
    process.stderr.write(
      'puna: The token that is kept cannot be opened here, so Puna goes on without one. Set HF_TOKEN where one is needed.\n',
    );
    return null;
  }
}

export const endpointOption = [
  '--endpoint <url>',
  'address of the hub or a mirror; without it HF_ENDPOINT or https://huggingface.co',
] as const;
