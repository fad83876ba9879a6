import uPlot from 'uplot';
import type { LossPoint } from '../../../../shared/contract/index.ts';
import { digitsFor, lossRange, nearest, zoomed } from './axes.ts';
import { aligned, type Curve, type Reading, readingAt } from './curve.ts';

export interface LossPlotOptions {
  locale: string;
  /** What stands under the pointer; null: it is elsewhere. */
  onhover: (reading: Reading | null) => void;
  /** Whether a part of it is shown. */
  onzoom: (zoomed: boolean) => void;
}

/** Of the letters at the axes, in CSS pixels: their size, their usual width, and what is around them. */
const letters = { size: 12, width: 7, space: 14, height: 30 };
/** How many times narrower one press makes it. */
const zoomStep = 2;
/** A part of fewer steps than that shows nothing more. */
const fewestSteps = 4;

/** Curves of losses over steps, drawn by uPlot in the colours that the page has at that moment. */
export class LossPlot {
  readonly #plot: uPlot;
  readonly #host: HTMLElement;
  readonly #options: LossPlotOptions;
  readonly #end = new AbortController();
  readonly #probe: HTMLElement;
  #data: uPlot.AlignedData;
  #marked: LossPoint | null = null;
  #zoomed = false;
  #at: number | null = null;

  constructor(host: HTMLElement, curves: readonly Curve[], options: LossPlotOptions) {
    this.#host = host;
    this.#options = options;
    this.#data = aligned(curves);
    // A custom property keeps its light-dark(); what it comes to, only a property of an element tells.
    this.#probe = host.appendChild(document.createElement('span'));
    this.#probe.hidden = true;
    this.#plot = new uPlot(this.#plotOptions(curves), this.#data, host);
    this.#follow();
  }

  /** Shows the curves as they are now; what is zoomed stays so. */
  update(curves: readonly Curve[], marked: LossPoint | null): void {
    this.#data = aligned(curves);
    this.#marked = marked;
    const { min, max } = this.#plot.scales['x'] ?? {};
    this.#plot.setData(this.#data, !this.#zoomed);
    if (this.#zoomed && min !== undefined && max !== undefined) this.#plot.setScale('x', { min, max });
  }

  /** Shows all of it again. */
  showAll(): void {
    this.#plot.setData(this.#data, true);
  }

  /** Shows half of it, around the pointer or at its end; or twice as much. */
  zoom(into: boolean): void {
    const { min, max } = this.#plot.scales['x'] ?? {};
    const [steps] = this.#data;
    const [first, last] = [steps[0], steps.at(-1)];
    if (min === undefined || max === undefined || first === undefined || last === undefined) return;
    if (into && max - min <= fewestSteps) return;
    const at = this.#at;
    const around = steps[at ?? steps.length - 1] ?? max;
    const [from, to] = zoomed([min, max], into ? zoomStep : 1 / zoomStep, around, [first, last]);
    // At once, so that the pointer can be put where its step has gone.
    this.#plot.batch(() => this.#plot.setScale('x', { min: from, max: to }));
    if (at !== null) this.#point(around);
  }

  /** Points at the place in the data that is so many further. */
  move(by: number): void {
    const last = this.#data[0].length - 1;
    const at = Math.max(0, Math.min(last, (this.#at ?? last) + by));
    const step = this.#data[0][at];
    if (step === undefined) return;
    const { min, max } = this.#plot.scales['x'] ?? {};
    if (min !== undefined && max !== undefined && (step < min || step > max)) {
      this.#plot.batch(() => this.showAll());
    }
    this.#point(step);
  }

  destroy(): void {
    this.#end.abort();
    this.#plot.destroy();
    this.#probe.remove();
  }

  #point(step: number): void {
    const left = this.#plot.valToPos(step, 'x');
    this.#plot.setCursor({ left, top: this.#plot.over.clientHeight / 2 });
  }

  #plotOptions(curves: readonly Curve[]): uPlot.Options {
    const number = (value: number, digits: number) =>
      new Intl.NumberFormat(this.#options.locale, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value);
    const font = `${letters.size}px ${getComputedStyle(this.#host).fontFamily}`;
    const axis = {
      font,
      stroke: () => this.#colour('--text-muted'),
      grid: { stroke: () => this.#colour('--border'), width: 1 },
      ticks: { show: false },
    };
    return {
      ...this.#size(),
      legend: { show: false },
      padding: [12, 12, 0, 0],
      scales: { x: { time: false }, y: { range: (_plot, least, most) => lossRange(least, most) } },
      series: [{}, ...curves.map((curve) => this.#series(curve))],
      axes: [
        {
          ...axis,
          size: letters.height,
          // Half a step is none.
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6],
          values: (_plot, splits) => splits.map((split) => number(split, 0)),
        },
        {
          ...axis,
          size: (_plot: uPlot, values: string[] | null) =>
            letters.space + letters.width * Math.max(1, ...(values ?? []).map(({ length }) => length)),
          values: (_plot, splits, _axis, _space, increment) =>
            splits.map((split) => number(split, digitsFor(increment))),
        },
      ],
      cursor: {
        y: false,
        points: { size: 9, width: 2 },
        drag: { x: true, y: false, setScale: true },
        // Not every curve has a value at every step.
        dataIdx: (plot, series, at) => nearest(plot.data[series] ?? [], at) ?? at,
      },
      hooks: {
        setCursor: [(plot) => this.#hover(plot)],
        setScale: [(plot, key) => key === 'x' && this.#noteZoom(plot)],
        draw: [(plot) => this.#drawMark(plot)],
      },
    };
  }

  #series({ colour, look, points }: Curve): uPlot.Series {
    const stroke = () => this.#colour(`--curve-${colour}`);
    return {
      stroke,
      width: look === 'faint' ? 1 : 2,
      alpha: look === 'faint' ? 0.35 : 1,
      // A line of one point would not be seen.
      points: {
        show: (plot, index) => look === 'points' || (plot.data[index]?.length ?? 0) < 2,
        size: points.length > 40 ? 4 : 6,
        fill: stroke,
        width: 0,
      },
    };
  }

  #hover({ cursor: { idx, left = -1 } }: uPlot): void {
    this.#at = left < 0 ? null : (idx ?? null);
    this.#options.onhover(this.#at === null ? null : readingAt(this.#data, this.#at));
  }

  #noteZoom({ scales }: uPlot): void {
    const { min, max } = scales['x'] ?? {};
    const [steps] = this.#data;
    const [first, last] = [steps[0], steps.at(-1)];
    if (min === undefined || max === undefined || first === undefined || last === undefined) return;
    this.#zoomed = min > first || max < last;
    this.#options.onzoom(this.#zoomed);
  }

  /** A ring around the point that is the best. */
  #drawMark({ ctx, bbox }: uPlot): void {
    if (!this.#marked) return;
    const x = this.#plot.valToPos(this.#marked.step, 'x', true);
    const y = this.#plot.valToPos(this.#marked.loss, 'y', true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.beginPath();
    ctx.arc(x, y, 7 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.strokeStyle = this.#colour('--curve-2');
    ctx.stroke();
    ctx.restore();
  }

  #colour(property: string): string {
    this.#probe.style.color = `var(${property})`;
    return getComputedStyle(this.#probe).color;
  }

  #size(): { width: number; height: number } {
    return { width: this.#host.clientWidth, height: this.#host.clientHeight };
  }

  /** Draws it anew when its place or the page's colours change. */
  #follow(): void {
    const { signal } = this.#end;
    const resized = new ResizeObserver(() => this.#plot.setSize(this.#size()));
    resized.observe(this.#host);
    const themed = new MutationObserver(() => this.#plot.redraw(false));
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.#plot.redraw(false), { signal });
    signal.addEventListener('abort', () => {
      resized.disconnect();
      themed.disconnect();
    });
  }
}
