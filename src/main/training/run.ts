import { basename } from 'node:path';
import { constants, setPriority } from 'node:os';
import { PunaError } from '../../shared/error.ts';
import { llama } from '../inference/llama.ts';
import { fingerprintOf } from '../weights/base-model.ts';
import { readModelFile, type ModelFile } from '../weights/model-file.ts';
import { writeTrained } from './adapter-file.ts';
import {
  loadCheckpoint,
  removeCheckpoint,
  type RunIdentity,
  type RunState,
  saveCheckpoint,
} from './checkpoint.ts';
import { dataFingerprint } from './fingerprint.ts';
import {
  checkpointPath,
  type TrainingEvent,
  type TrainingInput,
  type TrainingResult,
  type TrainingSettings,
} from './messages.ts';
import { Plan } from './plan.ts';
import { Session } from './session.ts';
import { train } from './trainer.ts';
import { loadData } from './training-data.ts';

export interface RunOptions {
  /** Stops the run cleanly: what has been learnt is kept. */
  signal: AbortSignal;
  emit: (event: TrainingEvent) => void;
  /** Resolves when the next step may begin. */
  turn: () => Promise<unknown>;
}

/** Where a run stands that begins. */
const begun: RunState = {
  ...{ step: 0, loss: null, validationLoss: null, bestValidationLoss: null },
  ...{ withoutImprovement: 0, baseValidationLoss: null },
};

/**
 * A training run from files to file. Errors: those of reading the model and the data, `unsupported-model`, `out-of-memory`,
 * `disk-full`, `invalid-input`.
 */
export async function runTraining(input: TrainingInput, options: RunOptions): Promise<TrainingResult> {
  const begin = performance.now();
  const { settings, out } = input;
  refuseOverwriting(input);
  // The machine stays usable for whoever sits before it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

  const file = await readModelFile(input.model);
  const llamaCpp = await llama(settings.device === 'cpu' ? false : settings.device);
  const { learnt, measured, notes } = await loadData(llamaCpp, input, options.signal);
  for (const text of notes) options.emit({ type: 'note', text });
  const plan = new Plan(learnt, measured, settings);

  using session = await Session.open(llamaCpp, file, plan, options);
  const identity = identityOf(file, dataFingerprint(learnt, measured), settings);
  const path = checkpointPath(out);
  const state: RunState = input.resume
    ? await loadCheckpoint(path, identity, session.parameters)
    : { ...begun };
  options.emit({
    ...{ type: 'plan', steps: plan.steps, doneSteps: state.step, length: plan.length },
    ...{ samples: learnt.length, validationSamples: measured.length, sequences: plan.sequences.length },
    ...session.description,
  });

  const record = (at: RunState) => ({
    ...{ settings, data: input.data.map((name) => basename(name)), dataSha256: identity.data },
    ...{ steps: at.step, loss: at.loss, validationLoss: at.validationLoss },
  });
  /** The step from which the run would go on. */
  let savedStep = state.step;
  const written = (writing: Promise<void>) =>
    writing.catch((thrown: unknown) => {
      throw withKeptSteps(thrown, savedStep);
    });
  const write = (target: string, at: RunState) =>
    written(writeTrained(target, file, session.parameters, record(at)));
  const finish = await train(session.machinery, settings, state, {
    signal: options.signal,
    turn: options.turn,
    onStep: (report) => options.emit({ type: 'step', ...report, memoryBytes: session.peakMemory() }),
    onValidation: (step, validationLoss, best) =>
      options.emit({ type: 'validation', step, validationLoss, perplexity: Math.exp(validationLoss), best }),
    async save(at) {
      await written(saveCheckpoint(path, identity, at, session.parameters));
      savedStep = at.step;
    },
    saveBest: (at) => write(out, at),
    async snapshot(at) {
      const copy = snapshotPath(out, at.step);
      await write(copy, at);
      options.emit({ type: 'snapshot', step: at.step, path: copy });
    },
  });
  const worse = noBetterThanBase(state);
  if (worse) options.emit({ type: 'note', text: worse });

  // The best one is written already, where there are measurements.
  const last = state.bestValidationLoss === null ? null : lastPath(out);
  await write(last ?? out, state);
  if (finish !== 'stopped' && !input.keepCheckpoint) await removeCheckpoint(path);
  return {
    ...{ adapter: out, last, finish, steps: state.step },
    ...{ loss: state.loss, validationLoss: state.bestValidationLoss },
    baseValidationLoss: state.baseValidationLoss,
    estimatedBytes: session.description.estimatedBytes,
    peakMemoryBytes: session.peakMemory(),
    seconds: (performance.now() - begin) / 1000,
  };
}

/** `adapter.gguf` → `adapter-last.gguf` */
function lastPath(out: string): string {
  return out.replace(/(\.gguf)?$/i, '-last$1');
}

/** `adapter.gguf` → `adapter.sample-40.gguf` */
function snapshotPath(out: string, step: number): string {
  return out.replace(/(\.gguf)?$/i, `.sample-${step}.gguf`);
}

/** What a person must know of a run that has only made worse what it was measured on; null: it has not. */
function noBetterThanBase({ bestValidationLoss: best, baseValidationLoss: base }: RunState): string | null {
  if (best === null || base === null || best < base) return null;
  return (
    `The examples that are measured on never came out better than from the model as it was: ` +
    `a loss of ${best.toFixed(3)} at best, and ${base.toFixed(3)} before`
  );
}

/** A full disk takes nothing along that the last checkpoint has. */
function withKeptSteps(thrown: unknown, savedStep: number): unknown {
  if (!(thrown instanceof PunaError) || thrown.code !== 'disk-full' || savedStep === 0) return thrown;
  const remedy = `Free some space on that disk, then resume (--resume): what was learnt up to step ${savedStep} is kept.`;
  return new PunaError(thrown.code, thrown.message, remedy, { cause: thrown.cause });
}

function identityOf(file: ModelFile, data: string, given: TrainingSettings): RunIdentity {
  const { sha256, bytes } = fingerprintOf(file);
  // Where it computes, how often it saves and how much memory it may take change nothing that is learnt.
  const { checkpointEvery, sampleEvery, threads, device, recompute, memoryLimit, ...settings } = given;
  void [checkpointEvery, sampleEvery, threads, device, recompute, memoryLimit];
  return { base: sha256, baseBytes: bytes, data, settings: JSON.stringify(settings) };
}

function refuseOverwriting({ model, data, validationData = [], out }: TrainingInput): void {
  if (![model, ...data, ...validationData].includes(out)) return;
  throw new PunaError('invalid-input', `${out} is read and cannot be written.`, 'Give --out another name.');
}
