import { launchChildProcess } from '../engine/index.ts';
import { type Fits, fitsFrom } from '../hub-service/index.ts';
import { Machine } from '../machine/index.ts';
import { dataFolder } from '../storage/index.ts';

/** Tells which models of the hub this machine has room for, as the app does. Nothing is measured, or written to the data folder. */
export async function machineFits(data: string | undefined): Promise<Fits> {
  const machine = new Machine({ dataFolder: dataFolder(data), launchEngine: launchChildProcess });
  try {
    return await fitsFrom(() => machine.room());
  } finally {
    await machine.close();
  }
}
