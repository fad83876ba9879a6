import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { contract } from '../../src/shared/contract/index.ts';

export type Client = ContractRouterClient<typeof contract>;

/** A browser shell in a process of its own, as a person starts it, with a client of its contract. */
export interface Shell {
  link: string;
  port: number;
  dataFolder: string;
  /** Puna's models for other programs, where that was asked for. */
  api: { address: string; key: string } | null;
  client: Client;
  process: ChildProcess;
  /** Ends it as Ctrl-C does. */
  stop(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/** Starts `puna serve` from the sources, or from the build where `built` is set. */
export async function startShell({
  dataFolder,
  built = false,
  api: opensApi = false,
  resources = null,
  env = {},
}: {
  dataFolder: string;
  built?: boolean;
  api?: boolean;
  /** The folder of what comes with Puna; without it, nothing does. */
  resources?: string | null;
  /** Added to this process's own. */
  env?: Record<string, string>;
}): Promise<Shell> {
  const entry = built ? 'out/main/cli.js' : 'src/main/cli.ts';
  const words = [entry, 'serve', '--port', '0', '--no-open', '--json', '--data', dataFolder];
  words.push(...(resources === null ? ['--no-resources'] : ['--resources', resources]));
  if (opensApi) words.push('--api-port', '0');
  const child = spawn(process.execPath, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (data: Buffer) => (complaints += data.toString()));
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`puna serve ended: ${complaints}`))),
  ])) as [string];
  const { link, port, api } = JSON.parse(line) as Pick<Shell, 'link' | 'port' | 'api'>;
  const { client, socket } = await connect(link, port);

  const end = async (signal: NodeJS.Signals) => {
    socket.terminate();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    ...{ link, port, api, dataFolder, client, process: child },
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
  };
}

/** A client of a browser shell that is there, by the link that it has printed. */
export async function connect(link: string, port: number): Promise<{ client: Client; socket: WebSocket }> {
  const { search } = new URL(link);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc${search}`, { origin: `http://127.0.0.1:${port}` });
  await once(socket, 'open');
  // `ws` speaks the browser's interface, though its types differ in details that no one here uses.
  const rpcLink = new RPCLink({ websocket: socket as unknown as globalThis.WebSocket });
  return { client: createORPCClient(rpcLink), socket };
}

/** An empty data folder for one test, and how to be rid of it. */
export async function temporaryFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'puna-test-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Waits until no reply is being made or waits any more. */
export async function replyFinished({ client }: Pick<Shell, 'client'>): Promise<void> {
  for (;;) {
    const { queue } = await client.system.state();
    if (queue.length === 0) return;
    await setTimeout(50);
  }
}
