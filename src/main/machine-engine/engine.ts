import { serveEngine } from '../engine/serve-engine.ts';
import { describeModel } from './describe-model.ts';
import { findBuild, findDevices } from './devices.ts';
import { measureDisk } from './measure-disk.ts';
import { measureSpeeds } from './measure-speeds.ts';
import type { MachineJobs } from './messages.ts';

serveEngine<MachineJobs>(
  {
    devices: () => findDevices(),
    build: () => findBuild(),
    async measure({ folder }, { signal }) {
      const { gpu, threads } = await findDevices();
      return {
        cpu: await measureSpeeds('cpu', { gpu, threads, signal }),
        gpu: gpu === null ? null : await measureSpeeds('gpu', { gpu, threads, signal }),
        diskRead: await measureDisk(folder, signal),
      };
    },
    describe: (input) => describeModel(input),
  },
  async () => undefined,
);
