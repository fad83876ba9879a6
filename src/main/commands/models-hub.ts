import { PunaError } from '../../shared/error.ts';
import { Hub } from '../hub/index.ts';
import { FileSecrets, hubToken, secretsFile } from '../secrets/index.ts';
import { dataFolder } from '../storage/index.ts';

export interface HubChoice {
  endpoint?: string;
  data?: string;
}

/** The hub as the options, the environment and the data folder say. A token of the environment goes before the one that is kept. */
export async function openHub({ endpoint, data }: HubChoice): Promise<Hub> {
  const token = process.env.HF_TOKEN?.trim() || (await keptToken(data));
  return new Hub({ endpoint: endpoint ?? null, token });
}

/** What everybody may have needs no token: one that cannot be opened is said to be left out. */
async function keptToken(data: string | undefined): Promise<string | null> {
  try {
    return await new FileSecrets(secretsFile(dataFolder(data))).get(hubToken);
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
