import type { Diagnostics, MachineFacts } from '../../shared/contract/index.ts';
import { size } from '../weights/figures.ts';

type Told = Omit<Diagnostics, 'report'>;

/** What was found out, as Markdown. */
export function reportOf(told: Told): string {
  return [
    '## Puna',
    ...list(versionRows(told)),
    '',
    '### Machine',
    ...list(told.machine ? machineRows(told.machine) : [['Machine', 'could not be asked']]),
    '',
    '### State',
    ...list(stateRows(told)),
    '',
    '### Findings',
    ...(told.findings.length === 0
      ? ['- nothing']
      : told.findings.map(({ sentence, remedy }) => `- ${sentence} ${remedy}`)),
    '',
    '### Log',
    ...fenced(told.log),
    '',
  ].join('\n');
}

type Row = readonly [name: string, value: string];

function list(rows: readonly Row[]): string[] {
  return rows.map(([name, value]) => `- ${name}: ${value}`);
}

/** A fence that is longer than any within. */
function fenced(lines: readonly string[]): string[] {
  if (lines.length === 0) return ['- empty'];
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map(({ length }) => length)),
  );
  const fence = '`'.repeat(longest + 1);
  return [fence, ...lines, fence];
}

function versionRows({ versions, shell, system, at, dataFolder }: Told): Row[] {
  return [
    ['Puna', `${versions.puna} (${shell})`],
    ['System', system],
    ['Node', versions.electron === null ? versions.node : `${versions.node}, Electron ${versions.electron}`],
    ['llama.cpp', `${versions.llamaCpp ?? 'unknown'} (node-llama-cpp ${versions.nodeLlamaCpp})`],
    ['SQLite', versions.sqlite ?? 'unknown'],
    ['Data folder', dataFolder],
    ['Time', new Date(at).toISOString()],
  ];
}

function machineRows({ processor, cores, threads, memory, gpu, disk, bandwidth }: MachineFacts): Row[] {
  return [
    ['Processor', `${processor}, ${cores} cores, ${threads} of them for models`],
    ['Memory', `${size(memory.total)}${memory.limited ? ' (limited)' : ''}, ${size(memory.free)} free`],
    [
      'GPU',
      gpu ? `${gpu.names.join(', ')} (${gpu.kind}), ${size(gpu.memory.total)}` : 'none that llama.cpp uses',
    ],
    ['Disk', disk.free === null ? 'unknown' : `${size(disk.free)} free`],
    ['Weights', bandwidth ? `${size(bandwidth.gpu ?? bandwidth.cpu)}/s` : 'not measured'],
  ];
}

function stateRows({ chat, engines, database, findings }: Told): Row[] {
  const isUnread = findings.some(({ kind }) => kind.startsWith('database-'));
  return [
    ...(chat ? [['Chat', chatWords(chat)] as const] : []),
    ...engines.map(
      ({ name, running, starts, deaths }) =>
        [name, `${running} running, started ${starts}×, stopped by itself ${deaths}×`] as const,
    ),
    ...(database
      ? [
          [
            'Database',
            `${size(database.bytes)}, version ${database.version}, ${checkWords(database.problems)}`,
          ] as const,
          ['History', `${database.conversations} conversations, ${database.messages} messages`] as const,
        ]
      : [['Database', isUnread ? 'cannot be read' : 'none yet'] as const]),
  ];
}

function chatWords({ state, device, contextSize }: NonNullable<Told['chat']>): string {
  return [state, device, contextSize === null ? null : `context ${contextSize}`]
    .filter((word) => word !== null)
    .join(', ');
}

function checkWords(problems: string[] | null): string {
  if (problems === null) return 'not checked';
  return problems.length === 0 ? 'checked and whole' : `damaged: ${problems.join('; ')}`;
}
