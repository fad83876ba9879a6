import { arch, release, type } from 'node:os';
import { join } from 'node:path';
import type { SystemInfo, Updates } from '../shared/contract/index.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { Api } from './api/index.ts';
import { Chat, ModelHost } from './chat/index.ts';
import { Collection } from './collection/index.ts';
import type { DatasetJobs } from './dataset-engine/messages.ts';
import { Diagnostics } from './diagnostics/index.ts';
import { endText, Engine, EngineRoster, HelperEngine, type LaunchEngine } from './engine/index.ts';
import { Events } from './events.ts';
import { databaseFile, History, historyVersion, openDatabase } from './history/index.ts';
import { Downloads, HubService } from './hub-service/index.ts';
import type { InferenceJobs } from './inference/messages.ts';
import { Library, LibraryFolders, ReadingEngine, type Trash, Verifier } from './library/index.ts';
import { followProcess, Log } from './log/index.ts';
import { Machine } from './machine/index.ts';
import { Operations } from './operations/index.ts';
import { createRouter, type AppRouter } from './rpc/router.ts';
import { MemoryShare, TrainingRuns } from './runs/index.ts';
import { Servers } from './servers/index.ts';
import { FileSecrets, type Secrets, secretsFile } from './secrets/index.ts';
import { resourcesFault, Starter } from './starter/index.ts';
import { InPlace, lockDataFolder, sqliteVersion, Uploads } from './storage/index.ts';

export interface AppOptions {
  /** Where everything lives: database, models, uploads. Made if it is not there. */
  dataFolder: string;
  shell: SystemInfo['shell'];
  launchEngine: LaunchEngine;
  /** The desktop's file dialog for GGUF files, where there is a desktop. */
  pickModels?: () => Promise<string[]>;
  /** Shows a folder in the desktop's file manager, where there is one. */
  showFolder?: (path: string) => Promise<void>;
  /** How this shell comes by newer versions of Puna, if it does. */
  updates?: () => Updates;
  /** The system's trash. */
  trash: Trash;
  /** The folder of what comes with Puna, such as the starter model; null: nothing does. */
  resources: string | null;
  /** Where tokens are kept; without it, in a file of the data folder that only its owner can read. */
  secrets?: Secrets;
}

export interface App {
  router: AppRouter;
  /** Puna's models for other programs. */
  api: Api;
  /** Stops replies, training and operations on weights (what each has done is kept), engines and database. */
  close(): Promise<void>;
}

/**
 * Puna without a window: composes the services. Errors: `already-running`, `database-locked`, `database-damaged`,
 * `database-newer`, `disk-full`.
 */
export async function createApp({
  dataFolder,
  shell,
  launchEngine: launch,
  pickModels,
  showFolder,
  updates = () => ({ isConfigured: false, ready: null }),
  trash,
  resources,
  secrets = new FileSecrets(secretsFile(dataFolder)),
}: AppOptions): Promise<App> {
  const lock = lockDataFolder(dataFolder);
  const log = new Log(dataFolder);
  const unfollow = followProcess(log);
  log.info(`Puna ${packageFile.version} starts: ${shell}, ${programText()}`);
  const roster = new EngineRoster((end) => log.info(endText(end)));
  const launchEngine = roster.keeping(launch);
  try {
    const database = openDatabase(databaseFile(dataFolder));
    const history = new History(database);
    history.messages.interruptUnfinished();
    // In slices beside everything else; what it does not reach this time it reaches next time.
    history.conversations.purge().catch(console.error);
    const events = new Events();
    const inPlace = new InPlace(databaseFile(dataFolder), {
      onChange: (isThere) => {
        console.error(`The data folder is ${isThere ? 'back in' : 'no longer in'} its place.`);
        events.publish({ type: 'data-folder', isThere });
      },
    });
    const uploads = new Uploads(join(dataFolder, 'uploads'));
    const folders = { adapters: join(dataFolder, 'adapters'), models: join(dataFolder, 'models') };
    const ownFolders = [folders.models, folders.adapters];
    const library = new Library({
      database,
      modelsFolder: folders.models,
      ownFolders,
      onChange: (models) => events.publish({ type: 'models', models }),
    });
    const starter = new Starter({ resources, database, library });
    const reader = new ReadingEngine(launchEngine);
    const shelves = new LibraryFolders({
      ...{ database, library, reader, ownFolders },
      showsDownloaded: () => history.settings.get().showDownloaded,
      onChange: (state) => events.publish({ type: 'library', library: state }),
    });
    const verifier = new Verifier({ database, library, hasher: reader });
    const hub = new HubService({
      ...{ database, library, secrets, modelsFolder: folders.models },
      room: () => machine.room(),
    });
    const downloads = new Downloads({ database, library, hub, events, modelsFolder: folders.models });
    const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchEngine });
    const memory = new MemoryShare();
    const host = new ModelHost({
      engine,
      rival: memory,
      computing: () => history.settings.get().computing,
      onStatus: (status) => events.publish({ type: 'engine', status }),
      onTried: (model, error) => void library.keepLoaded(model, error).catch(console.error),
    });
    const servers = new Servers({
      ...{ database, library, secrets },
      onChange: (list) => events.publish({ type: 'servers', servers: list }),
    });
    const chat = new Chat({ history, library, host, servers, events });
    const { background } = chat;
    const api = new Api({ history, library, host, chat, keyFile: join(dataFolder, 'api-key') });
    const collection = new Collection({
      ...{ database, history, library, events, uploads, launchEngine, background },
      folders: {
        datasets: join(dataFolder, 'datasets'),
        snapshots: join(dataFolder, 'snapshots'),
        uploaded: join(dataFolder, 'uploaded-data'),
      },
    });
    const training = new TrainingRuns({
      ...{ database, history, library, host, memory, events, launchEngine, folders, background },
      datasets: collection,
    });
    const operations = new Operations({
      ...{ database, library, events, uploads, launchEngine },
      runs: () => training.list(),
      folders: { ...folders, uploaded: join(dataFolder, 'uploaded-weights') },
    });
    const machine = new Machine({
      ...{ dataFolder, launchEngine },
      isBusy: () =>
        chat.queue.length > 0 ||
        host.status.state === 'loading' ||
        training.list().some(({ state }) => state === 'running'),
    });
    const info = { version: packageFile.version, shell, dataFolder };
    const looker = new HelperEngine<DatasetJobs>({ entry: 'dataset-engine', launch: launchEngine });
    const diagnostics = new Diagnostics({
      ...{ dataFolder, shell, machine, knownVersion: historyVersion },
      readDatabase: ({ check }) => looker.run('databaseFacts', { file: databaseFile(dataFolder), check }),
      checkResources: async () => (resources === null ? null : resourcesFault(resources)),
      engines: () => roster.records,
      chat: () => host.status,
    });
    const router = createRouter({
      ...{ starter, hub, downloads, api, servers },
      ...{ history, library, machine, chat, host, training, operations, collection, uploads, events, info },
      ...{ diagnostics, inPlace, showFolder: showFolder ?? null, updates },
      ...{ pickModels: pickModels ?? null, shelves, verifier, ownFolders, trash },
    });
    await starter.takeIn();
    shelves.start();
    void starter.loadAhead({ host, settings: history.settings });
    void api.follow();
    return {
      ...{ router, api },
      async close() {
        await api.close();
        // Together: a run may wait for the reply that is being written.
        const workClosed = Promise.all([
          ...[training.close(), operations.close(), downloads.close(), collection.close(), machine.close()],
          ...[shelves.close(), reader.close(), looker.close()],
        ]);
        try {
          await chat.close();
        } finally {
          await workClosed;
          await host.close();
          inPlace.close();
          database.close();
          log.info('Puna has ended.');
          unfollow();
          lock.release();
        }
      },
    };
  } catch (thrown) {
    log.error('Puna could not start:', thrown);
    unfollow();
    lock.release();
    throw thrown;
  }
}

function programText(): string {
  const { node, electron } = process.versions as Record<string, string | undefined>;
  return `${electron ? `Electron ${electron}, ` : ''}Node ${node}, ${type()} ${release()} ${arch()}, SQLite ${sqliteVersion() ?? 'unknown'}`;
}
