import { arch, homedir, release, type } from 'node:os';
import packageFile from '../../../package.json' with { type: 'json' };
import type { Diagnostics as Told } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { lastLines, logFile, type Places, placesOf, shortPath, withoutPrivateText } from '../log/index.ts';
import type { Machine } from '../machine/index.ts';
import { type DatabaseFacts, fileError, sqliteVersion, tryToWrite } from '../storage/index.ts';
import { findingsOf, type Found } from './findings.ts';
import { reportOf } from './report.ts';

/** Of the log, so many lines: those of the last start, mostly, and short enough for a report. */
const reportedLines = 60;

export interface DiagnosticsOptions {
  dataFolder: string;
  shell: Told['shell'];
  machine: Pick<Machine, 'facts' | 'llamaBuild'>;
  /** Null: there is none. Errors: those of `readDatabaseFacts`, and of the engine that it runs in. */
  readDatabase: (options: { check: boolean }) => Promise<DatabaseFacts | null>;
  /** Of the tables, as this Puna knows them. */
  knownVersion: number;
  /** Why what comes with Puna cannot be used; null: it can, or it is not wanted. */
  checkResources: () => Promise<PunaError | null>;
  engines?: () => Told['engines'];
  chat?: () => NonNullable<Told['chat']>;
  now?: () => number;
}

/** Gathers what helps to find a fault. What cannot be found out is a finding itself, and never a failure. */
export class Diagnostics {
  readonly #options: DiagnosticsOptions;
  readonly #places: Places;

  constructor(options: DiagnosticsOptions) {
    this.#options = options;
    this.#places = placesOf(options.dataFolder);
  }

  /** `check`: the database is read to its end, which takes a second for each gigabyte or so. */
  async gather({ check }: { check: boolean }): Promise<Told> {
    const {
      dataFolder,
      shell,
      machine,
      readDatabase,
      knownVersion,
      engines,
      chat,
      checkResources,
      now = Date.now,
    } = this.#options;
    const at = now();
    const [facts, llama, database, resources, log] = await Promise.all([
      found(machine.facts()),
      found(machine.llamaBuild()),
      found(readDatabase({ check })),
      checkResources(),
      lastLines(logFile(dataFolder), reportedLines),
    ]);
    const database_ = 'value' in database ? database.value && { value: database.value } : database;
    const records = engines?.() ?? [];
    const told: Omit<Told, 'report'> = {
      ...{ at, shell },
      versions: {
        puna: packageFile.version,
        node: process.versions.node,
        electron: process.versions['electron'] ?? null,
        nodeLlamaCpp: packageFile.dependencies['node-llama-cpp'],
        llamaCpp: 'value' in llama ? llama.value.release : null,
        sqlite: sqliteVersion(),
      },
      system: `${type()} ${arch()} ${release()}`,
      dataFolder: shortPath(dataFolder, homedir()),
      machine: 'value' in facts ? facts.value : null,
      engines: records,
      chat: chat ? pickChat(chat()) : null,
      database: database_ && 'value' in database_ ? this.#told(database_.value) : null,
      findings: findingsOf({
        ...{ at, knownVersion, machine: facts, llama, database: database_, engines: records },
        ...{ refused: refusedBy(dataFolder), resources },
      }),
      // Once more: the file may have been written by an earlier Puna, or by hand.
      log: log.map((line) => withoutPrivateText(line, this.#places)),
    };
    return { ...told, report: reportOf(told) };
  }

  #told({ bytes, version, conversations, messages, problems }: DatabaseFacts): NonNullable<Told['database']> {
    const lines = problems?.map((line) => withoutPrivateText(line, this.#places)) ?? null;
    return { bytes, version, conversations, messages, problems: lines };
  }
}

function pickChat({ state, device, contextSize }: NonNullable<Told['chat']>): NonNullable<Told['chat']> {
  return { state, device, contextSize };
}

async function found<Value>(asked: Promise<Value>): Promise<Found<Value>> {
  try {
    return { value: await asked };
  } catch (thrown) {
    return { error: PunaError.from(thrown) };
  }
}

/** Why nothing can be written into the folder; null where it can. */
function refusedBy(dataFolder: string): PunaError | null {
  try {
    tryToWrite(dataFolder);
    return null;
  } catch (thrown) {
    return PunaError.from(fileError(thrown, dataFolder));
  }
}
