import { statfs, stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { Fit, LoadSettings, MachineFacts } from '../../shared/contract/index.ts';
import { HelperEngine, type LaunchEngine } from '../engine/index.ts';
import type { Devices, LlamaBuild, MachineJobs, ModelNeeds } from '../machine-engine/messages.ts';
import type { TrainingJobs } from '../training/messages.ts';
import { fitOf } from './fit.ts';
import { hardware, type KeptMeasures, readMeasures, writeMeasures } from './kept-measures.ts';
import { memoryNow, usableMemory } from './memory.ts';
import { type FarModel, needsOf } from './needs-from-shape.ts';
import { trainingContext } from './training-context.ts';

export interface MachineOptions {
  /** Measures are kept in it, and its disk is the one that is looked at. */
  dataFolder: string;
  launchEngine: LaunchEngine;
  /** Whether something computes now, so that what is measured would be too low. */
  isBusy?: () => boolean;
}

/** A model of this machine, with how it is loaded. */
export interface NearModel {
  path: string;
  loadSettings: LoadSettings;
}

export interface FitOptions {
  /** Of one conversation, in tokens; absent: that of the model's settings. */
  contextSize?: number | undefined;
  /** Also finds out with how long sequences it can be taught, which takes some seconds. */
  training?: boolean | undefined;
}

/** A conversation of some length, in tokens: what fits with shorter ones only is not worth downloading. */
const conversationTokens = 4096;

/** So many models' needs are remembered. */
const keptNeeds = 500;

/** What this machine has and can do, and whether models fit. */
export class Machine {
  readonly #options: MachineOptions;
  readonly #engine: HelperEngine<MachineJobs>;
  readonly #training: HelperEngine<TrainingJobs>;
  readonly #measuresFile: string;
  #devices: Promise<Devices> | null = null;
  #measures: Promise<KeptMeasures | null> | null = null;
  readonly #needs = new Map<string, Promise<ModelNeeds>>();
  /** One model after the other: a page asks for all of them at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#engine = new HelperEngine({ entry: 'machine-engine', launch: options.launchEngine });
    this.#training = new HelperEngine({ entry: 'training-engine', launch: options.launchEngine });
    this.#measuresFile = join(options.dataFolder, 'machine.json');
  }

  /** Measures it where that has not been done, or is asked for anew. Errors: `engine-died`, `cancelled`. */
  async facts({ measure = false }: { measure?: boolean } = {}): Promise<MachineFacts> {
    const measures = await this.#measured(measure);
    const { gpu, names, video, threads } = await this.#findDevices(true);
    const disk = await statfs(this.#options.dataFolder).catch(() => null);
    const { cpu, gpu: gpuSpeeds, diskRead } = measures?.measured ?? { cpu: null, gpu: null, diskRead: null };
    return {
      ...{ processor: processorName(), cores: availableParallelism(), threads, memory: memoryNow() },
      gpu: gpu && video && { kind: gpu, names, memory: video },
      disk: { free: disk && disk.bavail * disk.bsize, readBytesPerSecond: diskRead },
      bandwidth: measures &&
        cpu && {
          cpu: cpu.F16.streamed,
          gpu: gpuSpeeds?.F16.streamed ?? null,
          measuredAt: measures.measuredAt,
        },
    };
  }

  /**
   * Whether a model of this machine fits, and how fast it will be. Errors: those of reading its file, `unsupported-model`,
   * `invalid-input` (an adapter), `engine-died`, `cancelled`.
   */
  async fit(
    { path, loadSettings }: NearModel,
    { contextSize, training = false }: FitOptions = {},
  ): Promise<Fit> {
    const settings = { ...loadSettings, contextSize: contextSize ?? loadSettings.contextSize };
    const measures = await this.#measured(false);
    const needs = await this.#needsOf(path, settings);
    const found = await this.#fitOf(needs, measures);
    if (!training) return { ...found, trainingContext: null };
    const usable = usableMemory(memoryNow().total, 0).ram;
    const model = { path, contextLength: needs.contextLength };
    const longest = await this.#inTurn(() =>
      trainingContext(model, usable, (input) => this.#training.run('estimate', input)),
    );
    return { ...found, trainingContext: longest };
  }

  /** The same for a model of which only size and configuration are known, as of those on a hub. Errors: `engine-died`, `cancelled`. */
  async fitFar(model: FarModel, contextSize: number | null = null): Promise<Fit> {
    const measures = await this.#measured(false);
    const { video } = await this.#findDevices(false);
    const needs = needsOf(model, contextSize, ownVideo(video));
    return { ...(await this.#fitOf(needs, measures)), trainingContext: null };
  }

  /**
   * Tells of any number of such models whether a conversation with one fits, as `fitFar` would. Nothing is measured for that, and the
   * engine is asked the first time only. Errors: `engine-died`, `cancelled`.
   */
  async room(): Promise<(model: FarModel) => boolean> {
    const { video } = await this.#findDevices(false);
    const memory = memoryNow();
    const total = { ram: memory.total, video: video?.total ?? 0 };
    return (model) => {
      const needs = needsOf(model, conversationTokens, ownVideo(video));
      return fitOf(needs, { total, free: total, speeds: null }).verdict !== 'not';
    };
  }

  /** Which llama.cpp computes here. Errors: `engine-died`, `cancelled`, `internal` (there is none for this computer). */
  llamaBuild(): Promise<LlamaBuild> {
    return this.#engine.run('build', null);
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine.close(), this.#training.close()]);
  }

  async #fitOf(needs: ModelNeeds, measures: KeptMeasures | null) {
    const memory = memoryNow();
    const { video } = await this.#findDevices(false);
    return fitOf(needs, {
      total: { ram: memory.total, video: video?.total ?? 0 },
      free: { ram: memory.free, video: video?.free ?? 0 },
      speeds: measures?.measured ?? null,
    });
  }

  /** `anew`: how much of the GPUs' memory is free is asked again. */
  #findDevices(anew: boolean): Promise<Devices> {
    if (anew || !this.#devices) {
      const devices = this.#engine.run('devices', null);
      devices.catch(() => (this.#devices = null));
      this.#devices = devices;
    }
    return this.#devices;
  }

  #measured(anew: boolean): Promise<KeptMeasures | null> {
    if (anew || !this.#measures) {
      const measures = this.#inTurn(() => this.#measure(anew));
      // What could not be measured now is measured when somebody asks again.
      const forget = () => (this.#measures = null);
      measures.then((found) => found ?? forget(), forget);
      this.#measures = measures;
    }
    return this.#measures;
  }

  async #measure(anew: boolean): Promise<KeptMeasures | null> {
    const { dataFolder, isBusy } = this.#options;
    const facts = {
      ...{ processor: processorName(), cores: availableParallelism(), memory: memoryNow().total },
    };
    const on = hardware(await this.#findDevices(false), facts);
    const kept = await readMeasures(this.#measuresFile, on);
    if (kept && !anew) return kept;
    if (isBusy?.()) return kept;
    const measured = await this.#engine.run('measure', { folder: dataFolder });
    return writeMeasures(this.#measuresFile, on, measured);
  }

  async #needsOf(path: string, settings: LoadSettings): Promise<ModelNeeds> {
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
    const key = JSON.stringify([path, size, mtimeMs, settings.contextSize, settings.gpuLayers]);
    let needs = this.#needs.get(key);
    if (!needs) {
      needs = this.#inTurn(() => this.#engine.run('describe', { path, settings }));
      this.#needs.set(key, needs);
      needs.catch(() => this.#needs.delete(key));
      const [oldest] = this.#needs.keys();
      if (this.#needs.size > keptNeeds && oldest !== undefined) this.#needs.delete(oldest);
    }
    return needs;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Memory that GPUs have to themselves, in bytes. */
function ownVideo(video: Devices['video']): number {
  return video && !video.isShared ? video.total : 0;
}

function processorName(): string {
  return cpus()[0]?.model.trim() || process.arch;
}
