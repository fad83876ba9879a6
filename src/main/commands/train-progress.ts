import { Pace } from '../runs/index.ts';
import type { TrainingEvent, TrainingPlan } from '../training/messages.ts';
import { duration } from './duration.ts';
import type { Output } from './output.ts';

/** How a run goes, as the live line of a terminal. */
export class TrainingProgress {
  readonly #output: Output;
  #plan: TrainingPlan | null = null;
  readonly #pace = new Pace(() => performance.now());

  constructor(output: Output) {
    this.#output = output;
  }

  show(event: TrainingEvent): void {
    switch (event.type) {
      // None is asked for.
      case 'snapshot':
        return;
      case 'loading':
        return this.#output.note(`\rLoading ${Math.round(event.progress * 100)}%`);
      case 'note':
        return this.#output.note(`\r${event.text}\n`);
      case 'plan':
        this.#plan = event;
        this.#pace.begin();
        return this.#output.note(planText(event));
      case 'step':
        return this.#output.note(this.#stepText(event));
      case 'validation':
        return this.#output.note(
          `\n${event.step === 0 ? 'before' : `step ${event.step}`}: validation loss ${event.validationLoss.toFixed(4)}, perplexity ${event.perplexity.toFixed(2)}${event.best ? ', best so far' : ''}\n`,
        );
    }
  }

  #stepText({ step, epoch, loss, tokensPerSecond }: Extract<TrainingEvent, { type: 'step' }>): string {
    this.#pace.mark();
    const { steps = step } = this.#plan ?? {};
    const left = duration(this.#pace.secondsFor(steps - step) ?? 0);
    return `\r\u001b[Kstep ${step}/${steps}  epoch ${epoch.toFixed(2)}  loss ${loss.toFixed(4)}  ${Math.round(tokensPerSecond)} tokens/s  ${left} left`;
  }
}

function planText(plan: TrainingPlan): string {
  const { device, samples, validationSamples, sequences, length, steps, parameters, estimatedBytes } = plan;
  const measured = validationSamples > 0 ? ` and ${validationSamples} to measure on` : '';
  return (
    `\r\u001b[K${device}; ${samples} samples${measured} in ${sequences} sequences of ${length} tokens; ${steps} steps; ` +
    `${(parameters / 1e6).toFixed(2)} M numbers are trained; ${(estimatedBytes / 1e9).toFixed(2)} GB\n`
  );
}
