import type { Command } from 'commander';
import { aborted } from 'node:util';
import open from 'open';
import { serve } from '../serve.ts';
import { resourcesPlace } from '../starter/index.ts';
import { dataFolder } from '../storage/index.ts';
import { integer, resourcesOption } from './arguments.ts';
import { Output, runCommand } from './output.ts';

interface ServeWords {
  port?: number;
  api?: boolean;
  apiPort?: number;
  data?: string;
  /** False: without what comes with Puna. */
  resources?: string | false;
  open: boolean;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('open Puna in the browser, served to this machine alone')
    .option('--port <n>', 'port on 127.0.0.1; 0 takes any free one', integer({ min: 0, max: 65535 }))
    .option('--api', "open OpenAI's API for other programs of this machine, too")
    .option('--api-port <n>', 'its port on 127.0.0.1; 0 takes any free one', integer({ min: 0, max: 65535 }))
    .option('--data <dir>', 'data folder')
    .addOption(resourcesOption())
    .option('--no-resources', 'without the starter model and the samples')
    .option('--no-open', 'print the link without opening a browser')
    .option('--json', 'print JSON lines')
    .action((options: ServeWords) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        const shell = await serve({
          ...{ dataFolder: dataFolder(options.data), port: options.port },
          resources: options.resources === false ? null : (options.resources ?? resourcesPlace()),
          api: options.api || options.apiPort !== undefined ? { port: options.apiPort } : undefined,
        });
        output.text(`Puna is at ${shell.link}\n`);
        if (shell.api) output.text(`Its API is at ${shell.api.address}, with the key ${shell.api.key}\n`);
        output.event({ type: 'listening', link: shell.link, port: shell.port, api: shell.api });
        // A machine without a browser is served too: the link is printed, and whoever tunnels the port opens it.
        if (options.open) await open(shell.link).catch(() => undefined);
        await aborted(signal, signal);
        await shell.close();
        output.event({ type: 'result' });
      }),
    );
}
