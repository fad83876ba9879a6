import { Hub } from '../hub/index.ts';
import { FileSecrets, hubToken, secretsFile } from '../secrets/index.ts';
import { dataFolder } from '../storage/index.ts';

export interface HubChoice {
  endpoint?: string;
  data?: string;
}

/** The hub as the options, the environment and the data folder say. A token of the environment goes before the one that is kept. */
export async function openHub({ endpoint, data }: HubChoice): Promise<Hub> {
  const secrets = new FileSecrets(secretsFile(dataFolder(data)));
  const token = process.env.HF_TOKEN?.trim() || (await secrets.get(hubToken));
  return new Hub({ endpoint: endpoint ?? null, token });
}

export const endpointOption = [
  '--endpoint <url>',
  'address of the hub or a mirror; without it HF_ENDPOINT or https://huggingface.co',
] as const;
