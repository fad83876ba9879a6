import { automaticLoadSettings } from '../../shared/contract/index.ts';
import { llama, threadsFor } from '../inference/llama.ts';
import type { Devices } from './messages.ts';

/** What llama.cpp would compute with, and the memory of it that is free now. */
export async function findDevices(): Promise<Devices> {
  const llamaCpp = await llama();
  const threads = threadsFor(llamaCpp, automaticLoadSettings);
  if (llamaCpp.gpu === false) return { gpu: null, names: [], video: null, threads };
  const { total, free, unifiedSize } = await llamaCpp.getVramState();
  return {
    gpu: llamaCpp.gpu,
    names: await llamaCpp.getGpuDeviceNames(),
    video: { total, free, isShared: unifiedSize > 0 },
    threads,
  };
}
