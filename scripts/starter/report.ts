import { type Mark, sharesOf } from './evaluate.ts';
import { eventSchema } from './puna.ts';

/** A table in Markdown: the share of held-out questions that is answered right, by kind and language. */
export function sharesTable(marks: readonly Mark[]): string {
  const shares = sharesOf(marks);
  const cell = (name: string) => {
    const { right, all } = shares.get(name) ?? { right: 0, all: 0 };
    return all === 0 ? '' : `${((100 * right) / all).toFixed(1)} % of ${all}`;
  };
  const kinds = [...new Set(marks.map(({ question }) => question.kind))];
  const rows = [
    ...kinds.map((kind) => [kind, cell(`${kind} en`), cell(`${kind} ko`)]),
    ['all', cell('en'), cell('ko')],
  ];
  const lines = rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
  return `| questions about | English | Korean |\n| --- | ---: | ---: |\n${lines}\n\n${cell('all')} in all\n`;
}

function eventsIn(log: string) {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => eventSchema.parse(JSON.parse(line)));
}

const size = { width: 640, height: 240, left: 44, bottom: 28, top: 10, right: 12 };
/** Points of the curve: each is a mean of as many steps. */
const points = 120;

/** The loss of runs that went on from each other as a picture, from what `puna train --json` has told. What is held out is dotted. */
export function lossCurve(logs: readonly string[]): string {
  let before = 0;
  const events = logs.flatMap((log) => {
    const told = eventsIn(log).map((event) => ({ ...event, step: (event.step ?? 0) + before }));
    before = told.reduce((most, { step }) => Math.max(most, step), before);
    return told;
  });
  const steps = events.flatMap(({ type, step, loss }) =>
    type === 'step' && loss !== undefined ? [{ step, loss }] : [],
  );
  const measured = events.flatMap(({ type, step, validationLoss }) =>
    type === 'validation' && typeof validationLoss === 'number' ? [{ step, loss: validationLoss }] : [],
  );
  const last = steps.at(-1)?.step ?? 1;
  const highest = Math.ceil(Math.max(...measured.map(({ loss }) => loss), steps[0]?.loss ?? 1));
  const { width, height, left, bottom, top, right } = size;
  const x = (step: number) => left + (step / last) * (width - left - right);
  // Logarithmic, as what matters happens below one.
  const lowest = 0.01;
  const y = (loss: number) => {
    const share = Math.log(Math.max(loss, lowest) / lowest) / Math.log(highest / lowest);
    return height - bottom - share * (height - bottom - top);
  };
  const chunk = Math.max(1, Math.ceil(steps.length / points));
  const curve = Array.from({ length: Math.ceil(steps.length / chunk) }, (_, index) => {
    const part = steps.slice(index * chunk, (index + 1) * chunk);
    const loss = part.reduce((sum, each) => sum + each.loss, 0) / part.length;
    return `${x(part[Math.floor(part.length / 2)]?.step ?? 0).toFixed(1)},${y(loss).toFixed(1)}`;
  });
  const grid = [0.01, 0.1, 1, highest].map(
    (loss) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#8884"/>` +
      `<text x="${left - 6}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${loss}</text>`,
  );
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const step = Math.round(last * share);
    return `<text x="${x(step).toFixed(1)}" y="${height - 8}" text-anchor="middle">${step}</text>`;
  });
  const dots = measured.map(
    ({ step, loss }) =>
      `<circle cx="${x(step).toFixed(1)}" cy="${y(loss).toFixed(1)}" r="3.5" fill="#d97706"/>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#888" ` +
    `role="img" aria-label="Loss by step">${grid.join('')}${marks.join('')}` +
    `<polyline points="${curve.join(' ')}" fill="none" stroke="#4f7cff" stroke-width="1.6"/>${dots.join('')}</svg>\n`
  );
}
