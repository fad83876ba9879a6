import { getLlama, type Llama, type LlamaGpuType, LlamaLogLevel, NoBinaryFoundError } from 'node-llama-cpp';
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { LoadSettings } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';

/** How much of what llama.cpp complained of is kept to explain a failure. */
const keptComplaints = 20;

let shared: Promise<Llama> | null = null;
const complaints: string[] = [];

/**
 * llama.cpp with the best device of this machine, or the kind of device that the first call asks for. Only binaries that were installed are used: nothing is downloaded or
 * compiled. What llama.cpp says goes to stderr, where main keeps the end of it. Errors: `internal` (there is none that works here).
 */
export function llama(gpu: 'auto' | LlamaGpuType = 'auto'): Promise<Llama> {
  shared ??= getLlama({
    gpu,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.warn,
    logger(level, message) {
      process.stderr.write(`${level}: ${message}\n`);
      if (level === LlamaLogLevel.error || level === LlamaLogLevel.fatal) complaints.push(message.trim());
      if (complaints.length > keptComplaints) complaints.shift();
    },
    // The number of threads is chosen for each context, and may be more than the library's own choice.
    maxThreads: 0,
  }).catch((cause: unknown) => {
    throw cause instanceof NoBinaryFoundError ? noBinary(cause) : cause;
  });
  return shared;
}

function noBinary(cause: unknown): PunaError {
  return new PunaError(
    'internal',
    `There is no llama.cpp that works on this computer (${process.platform}, ${process.arch}).`,
    'Install Puna again; if that does not help, this kind of computer is not supported yet.',
    { cause },
  );
}

/** What llama.cpp has complained of since the last time that this was asked. Its errors say less than its log. */
export async function newComplaints(): Promise<string> {
  // The log comes a moment later than the failure that it explains.
  await setImmediate();
  return complaints.splice(0).join('\n');
}

/**
 * Threads for llama.cpp: one less than the cores that compute, because ggml's threads spin while they wait, and a thread too
 * many starves this process's event loop (ten times slower on two cores).
 */
export function threadsFor(llamaCpp: Llama, { threads }: LoadSettings): number {
  if (threads !== null) return threads;
  const cores = Math.min(llamaCpp.cpuMathCores || availableParallelism(), availableParallelism());
  return Math.max(1, cores - 1);
}

const gpuNames: Record<string, string> = { cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' };

/** Such as `CPU, 7 threads` or `NVIDIA GeForce RTX 4070 (CUDA), 29 of 33 layers`. */
export async function deviceText(
  llamaCpp: Llama,
  { gpuLayers, layers, threads }: { gpuLayers: number; layers: number; threads: number },
): Promise<string> {
  const onCpu = `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  if (llamaCpp.gpu === false || gpuLayers === 0) return onCpu;
  const [device = 'GPU'] = await llamaCpp.getGpuDeviceNames();
  return `${device} (${gpuNames[llamaCpp.gpu]}), ${gpuLayers} of ${layers} layers`;
}
