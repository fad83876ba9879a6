import type { Diagnostics } from '../../../shared/contract/index.ts';
import { bytes } from '../../lib/figures.ts';
import { t } from '../../lib/i18n.svelte.ts';

type Row = readonly [name: string, value: string];

export function versionRows({ versions, system, dataFolder }: Diagnostics): Row[] {
  const unknown = t('upkeep.diagnostics.unknown');
  return [
    ['Puna', versions.puna],
    [t('upkeep.diagnostics.system'), system],
    ['Node', versions.node],
    ...(versions.electron === null ? [] : [['Electron', versions.electron] as const]),
    ['llama.cpp', `${versions.llamaCpp ?? unknown} (node-llama-cpp ${versions.nodeLlamaCpp})`],
    ['SQLite', versions.sqlite ?? unknown],
    [t('settings.dataFolder'), dataFolder],
  ];
}

export function machineRows({ machine }: Diagnostics): Row[] {
  const unknown = t('upkeep.diagnostics.unknown');
  if (!machine) return [[t('upkeep.diagnostics.machine'), unknown]];
  const { processor, cores, threads, memory, gpu, disk, bandwidth } = machine;
  const speed = bandwidth && (bandwidth.gpu ?? bandwidth.cpu);
  return [
    [
      t('upkeep.diagnostics.processor'),
      t('upkeep.diagnostics.processorIs', { name: processor, cores, threads }),
    ],
    [
      t('upkeep.diagnostics.memory'),
      t('upkeep.diagnostics.memoryIs', { total: bytes(memory.total), free: bytes(memory.free) }),
    ],
    [
      t('upkeep.diagnostics.gpu'),
      gpu
        ? `${gpu.names.join(', ')} (${gpu.kind}), ${bytes(gpu.memory.total)}`
        : t('upkeep.diagnostics.none'),
    ],
    [
      t('upkeep.diagnostics.disk'),
      disk.free === null ? unknown : t('upkeep.diagnostics.free', { bytes: bytes(disk.free) }),
    ],
    [
      t('upkeep.diagnostics.weights'),
      speed === null ? unknown : t('upkeep.diagnostics.perSecond', { bytes: bytes(speed) }),
    ],
  ];
}
