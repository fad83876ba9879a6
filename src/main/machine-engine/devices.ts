import { getLlamaGpuTypes } from 'node-llama-cpp';
import { automaticLoadSettings } from '../../shared/contract/index.ts';
import { llama, threadsFor } from '../inference/llama.ts';
import type { Devices, LlamaBuild } from './messages.ts';

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

/** Which llama.cpp this is. */
export async function findBuild(): Promise<LlamaBuild> {
  const [{ llamaCppRelease, gpu }, kinds] = await Promise.all([llama(), getLlamaGpuTypes('supported')]);
  return {
    release: llamaCppRelease.release,
    gpu: gpu || null,
    usable: kinds.filter((kind) => kind !== false),
  };
}
