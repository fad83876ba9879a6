import type { Command } from 'commander';
import { text } from 'node:stream/consumers';
import type { Server } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { databaseFile, openDatabase } from '../history/index.ts';
import { FileSecrets, secretsFile } from '../secrets/index.ts';
import { Servers } from '../servers/index.ts';
import { dataFolder } from '../storage/index.ts';
import { table } from '../weights/inspect.ts';
import { Output, runCommand } from './output.ts';

interface Common {
  data?: string;
  json?: boolean;
}

export function addServers(program: Command): void {
  const servers = program
    .command('servers')
    .description(
      "servers that speak OpenAI's API, such as vLLM, llama-server or Ollama, to chat with their models",
    );

  command(servers, 'list')
    .description('the servers, and how many of their models are in the list')
    .action((options: Common) =>
      use(options, (all, output) => {
        const list = all.list();
        for (const server of list) output.event({ ...server, type: 'server' });
        output.text(list.length === 0 ? 'There are no servers.\n' : `${table(list.map(line))}\n`);
        output.event({ type: 'result', servers: list.length });
      }),
    );

  command(servers, 'add')
    .description('add a server once it has told its models')
    .argument('<address>', 'where its API begins, such as http://192.168.0.7:8000/v1')
    .option('--name <name>', 'what it is called; its host, where nothing is said')
    .option('--key', 'it wants a key, which is read from standard input')
    .action((address: string, options: Common & { name?: string; key?: boolean }) =>
      use(options, async (all, output) => {
        const key = options.key ? await readKey(output) : null;
        const server = await all.add({
          name: options.name ?? address.replace(/^\w+:\/\/|\/.*$/g, ''),
          address,
          key,
        });
        tellModels(server, output);
      }),
    );

  command(servers, 'models')
    .description('ask a server for its models, and choose those that are in the list')
    .argument('<name>', 'its name or number, as the list shows them')
    .option('--choose <names...>', 'these are in the list, and no others of this server')
    .action((name: string, options: Common & { choose?: string[] }) =>
      use(options, async (all, output) => {
        const { id } = serverNamed(all, name);
        const { failure } = await all.refresh(id);
        if (failure) throw new PunaError(failure.code, failure.message, failure.remedy);
        tellModels(all.choose(id, options.choose ?? chosenOf(serverNamed(all, name))), output);
      }),
    );

  command(servers, 'remove')
    .description('forget a server with its key; its models leave the list')
    .argument('<name>', 'its name or number, as the list shows them')
    .action((name: string, options: Common) =>
      use(options, async (all, output) => {
        const server = serverNamed(all, name);
        await all.remove(server.id);
        output.text(`${server.name} is forgotten.\n`);
        output.event({ type: 'result', id: server.id, name: server.name });
      }),
    );
}

/** A server of the list. Errors: `not-found`, `invalid-input` (several are called so). */
export function serverNamed(servers: Servers, name: string): Server {
  const found = servers.list().filter((server) => server.name === name || String(server.id) === name);
  const [server] = found;
  if (!server) {
    throw new PunaError(
      'not-found',
      `There is no server ${name}.`,
      'See "puna servers list" for those that there are.',
    );
  }
  if (found.length === 1) return server;
  const numbers = found.map(({ id, address }) => `${id} (${address})`).join(', ');
  throw new PunaError(
    'invalid-input',
    `${found.length} servers are called ${name}.`,
    `Name a number: ${numbers}.`,
  );
}

/** Does something with the servers of a data folder. A window that is open sees it when it asks anew. */
export async function withServers<Result>(
  data: string | undefined,
  use: (servers: Servers) => Promise<Result> | Result,
): Promise<Result> {
  const folder = dataFolder(data);
  const database = openDatabase(databaseFile(folder));
  try {
    return await use(
      new Servers({
        ...{ database, secrets: new FileSecrets(secretsFile(folder)) },
        ...{ library: { tell: () => undefined }, onChange: () => undefined },
      }),
    );
  } finally {
    database.close();
  }
}

function command(servers: Command, name: string): Command {
  return servers.command(name).option('--data <dir>', 'data folder').option('--json', 'print JSON lines');
}

function use(
  { data, json = false }: Common,
  action: (servers: Servers, output: Output) => Promise<void> | void,
): Promise<void> {
  return runCommand(() => withServers(data, (servers) => action(servers, new Output(json))));
}

/** Not as an argument: those are seen by everyone on this machine, and remembered by the shell. */
async function readKey(output: Output): Promise<string> {
  output.note('Paste the key and end with Ctrl-D:\n');
  return text(process.stdin);
}

function tellModels(server: Server, output: Output): void {
  const { name, address, models } = server;
  output.text(
    `${name} at ${address} has ${models.length === 1 ? 'one model' : `${models.length} models`}.\n`,
  );
  const lines = models.map((model) => [model.name, model.modelId === null ? '' : 'in the list']);
  if (lines.length > 0) output.text(`${table(lines)}\n`);
  output.event({ ...server, type: 'result' });
}

function chosenOf({ models }: Server): string[] {
  return models.flatMap(({ name, modelId }) => (modelId === null ? [] : [name]));
}

const places = { 'this-computer': 'this computer', 'local-network': 'own network', elsewhere: 'elsewhere' };

function line({ id, name, address, place, hasKey, models }: Server): string[] {
  const chosen = models.filter(({ modelId }) => modelId !== null).length;
  const key = hasKey ? 'with a key' : '';
  return [String(id), name, address, places[place], key, `${chosen} of ${models.length} models in the list`];
}
