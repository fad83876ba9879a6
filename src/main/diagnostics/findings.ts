import type { Diagnostics, Finding, MachineFacts } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import { firstPunaMs } from '../history/index.ts';
import type { LlamaBuild } from '../machine-engine/messages.ts';
import type { DatabaseFacts } from '../storage/index.ts';

/** What was found out, or why it could not be. */
export type Found<Value> = { value: Value } | { error: PunaError };

export interface Facts {
  at: number;
  /** Of the tables, as this Puna knows them. */
  knownVersion: number;
  /** Why the data folder cannot be written; null: it can. */
  refused: PunaError | null;
  /** Why what comes with Puna cannot be used; null: it can, or it is not wanted. */
  resources: PunaError | null;
  machine: Found<MachineFacts>;
  llama: Found<LlamaBuild>;
  /** Null: there is none yet. */
  database: Found<DatabaseFacts> | null;
  engines: Diagnostics['engines'];
}

/** Less is soon full, with a model or two. */
const littleDisk = 1e9;
/** A clock that was set right by a day or less moves nothing that anyone looks for. */
const dayMs = 24 * 60 * 60 * 1000;

/** What is wrong, the worst first. None of it names anything of the person. */
export function findingsOf(facts: Facts): Finding[] {
  if (facts.refused?.code === 'file-missing') return [...ofMissingFolder(), ...ofEngines(facts)];
  return [
    ...[...ofFolder(facts), ...ofDatabase(facts), ...ofEngines(facts)],
    ...[...ofResources(facts), ...ofClock(facts)],
  ];
}

function fault(kind: Finding['kind'], sentence: string, remedy: string): Finding {
  return { kind, isFault: true, sentence, remedy };
}

function hint(kind: Finding['kind'], sentence: string, remedy: string): Finding {
  return { ...fault(kind, sentence, remedy), isFault: false };
}

/** What is asked of its database then says nothing more. */
function ofMissingFolder(): Finding[] {
  return [
    fault(
      'folder-missing',
      'The data folder is not there: it cannot be made, or it was moved or deleted, or its disk was taken away.',
      'Put it back, or name another folder with --data, and start Puna again before you go on.',
    ),
  ];
}

function ofFolder({ refused, machine }: Facts): Finding[] {
  const free = 'value' in machine ? machine.value.disk.free : null;
  return [
    ...(refused && refused.code !== 'disk-full'
      ? [
          fault(
            'folder-read-only',
            'The data folder cannot be written.',
            'Check its permissions, or start Puna with --data and another folder.',
          ),
        ]
      : []),
    ...(refused?.code === 'disk-full' || (free !== null && free < littleDisk)
      ? [
          hint(
            'disk-low',
            `The disk of the data folder has ${free === null ? 'no' : `${(free / 1e6).toFixed(0)} MB of`} free space.`,
            'Free some space, or use a data folder on another disk.',
          ),
        ]
      : []),
  ];
}

function ofDatabase({ database, knownVersion }: Facts): Finding[] {
  if (!database) return [];
  const damaged = fault(
    'database-damaged',
    'The database is damaged.',
    'Close Puna, keep a copy of the data folder, and put a backup in the place of puna.db.',
  );
  if ('error' in database) {
    if (database.error.code === 'database-damaged') return [damaged];
    return [
      fault(
        'database-unreadable',
        `The database cannot be read (${database.error.code}).`,
        'Close other programs that have it open, and check the permissions of puna.db.',
      ),
    ];
  }
  const { problems, version } = database.value;
  if (version > knownVersion) {
    return [
      fault(
        'database-newer',
        `The database was made by a newer Puna (version ${version}; this one knows ${knownVersion}).`,
        'Install that newer Puna, or start this one with --data and another folder.',
      ),
    ];
  }
  return problems !== null && problems.length > 0 ? [damaged] : [];
}

function ofEngines({ machine, llama, engines }: Facts): Finding[] {
  if ('error' in machine || 'error' in llama) {
    return [
      fault(
        'llama-missing',
        'llama.cpp does not start on this computer: its native package is missing or broken.',
        'Install Puna again (npm ci, where it runs from its sources).',
      ),
    ];
  }
  const { gpu, usable } = llama.value;
  const dead = engines.filter(({ deaths }) => deaths > 0);
  return [
    ...(gpu === null && usable.length > 0
      ? [
          hint(
            'gpu-unused',
            `There is a driver for a GPU (${usable.join(', ')}), but llama.cpp cannot use it: the processor computes alone.`,
            'Install the current driver of the GPU; everything works without it, only slower.',
          ),
        ]
      : []),
    ...(dead.length > 0
      ? [
          hint(
            'engine-died',
            `An engine has stopped by itself since Puna started (${dead.map(({ name, deaths }) => `${name} ${deaths}×`).join(', ')}).`,
            'The log has its last words. Mostly there was too little memory: a smaller model or context helps.',
          ),
        ]
      : []),
  ];
}

function ofResources({ resources }: Facts): Finding[] {
  if (!resources) return [];
  return [
    fault(
      'resources-missing',
      'The starter model or the samples that come with Puna are missing or damaged.',
      'Install Puna again; everything else works without them.',
    ),
  ];
}

function ofClock({ at, database }: Facts): Finding[] {
  const newest = database && 'value' in database ? database.value.newest : null;
  if (at < firstPunaMs) {
    return [
      hint(
        'clock-behind',
        `The clock of this computer says ${day(at)}, which is long past.`,
        'Set it right. Until then Puna keeps its conversations in order by the newest time that it knows.',
      ),
    ];
  }
  if (newest === null || newest <= at + dayMs) return [];
  return [
    hint(
      'clock-moved',
      `There are conversations of ${day(newest)}, which is still to come: the clock is wrong, or was when they were written.`,
      'Check the clock. Nothing is lost; those conversations stay on top of the list until they are written to again.',
    ),
  ];
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
