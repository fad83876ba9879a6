import { type Command, Option } from 'commander';
import { type FoundModel, type Hub, recommendedModels, searchOrders } from '../hub/index.ts';
import { table } from '../weights/inspect.ts';
import { integer } from './arguments.ts';
import { machineFits } from './machine-fits.ts';
import { endpointOption, type HubChoice, openHub } from './models-hub.ts';
import { Output, runCommand } from './output.ts';

interface SearchOptions extends HubChoice {
  sort: (typeof searchOrders)[number];
  limit: number;
  json?: boolean;
}

export function addModelsSearch(models: Command): void {
  models
    .command('search')
    .description('find models with GGUF files on the hub; without words, those that Puna recommends')
    .argument('[words...]')
    .addOption(
      new Option('--sort <order>', 'most or newest first').choices(searchOrders).default('downloads'),
    )
    .option('--limit <n>', 'how many', integer({ min: 1, max: 1000 }), 20)
    .option(...endpointOption)
    .option('--data <dir>', 'data folder, which may keep a token')
    .option('--json', 'print JSON lines')
    .action((words: string[], options: SearchOptions) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        if (words.length === 0) await showRecommended(output, options);
        else await search(await openHub(options), words.join(' '), options, { output, signal });
      }),
    );
}

/** The most that the hub gives at a time without being slow. */
const pageSize = 100;

async function search(
  hub: Hub,
  words: string,
  { sort, limit }: SearchOptions,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<void> {
  const found: FoundModel[] = [];
  let from: string | null = null;
  do {
    const page = await hub.search({ words, sort, limit: Math.min(limit, pageSize), from, signal });
    found.push(...page.models);
    from = page.next;
  } while (from !== null && found.length < limit);
  const shown = found.slice(0, limit);
  for (const model of shown) output.event({ type: 'model', ...model });
  output.text(
    shown.length === 0
      ? 'Nothing found.\n'
      : `${table(shown.map(({ id, downloads, gated }) => [id, downloadsText(downloads), gated ? 'with conditions' : '']))}\n`,
  );
  output.event({ type: 'result', models: shown.length });
}

function downloadsText(downloads: number | null): string {
  return downloads === null ? '' : `${downloads.toLocaleString('en')} downloads`;
}

async function showRecommended(output: Output, { data }: SearchOptions): Promise<void> {
  const hasRoom = await machineFits(data);
  const korean = Intl.DateTimeFormat().resolvedOptions().locale.startsWith('ko');
  for (const model of recommendedModels) {
    const { name, repository, quantization, gigabytes, license, why } = model;
    const fits = hasRoom({ bytes: gigabytes * 1e9, quantization });
    output.event({ type: 'recommended', ...model, fits });
    const memory = fits ? '' : ', more than this machine has memory for';
    output.text(
      `${name} (${gigabytes} GB, ${license}${memory})\n  ${korean ? why.ko : why.en}\n  puna models pull ${repository}:${quantization}\n`,
    );
  }
  output.event({ type: 'result', models: recommendedModels.length });
}
