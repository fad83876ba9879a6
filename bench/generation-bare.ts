import { BareLlama } from '../tests/support/bare-llama.ts';
import type { BareAnswer, BareOrder } from './generation.ts';

// The other side of bench/generation.ts, in a process of its own as Puna's engine is: a loop around llama_decode.

/** How many tokens the context reads at once. */
const batchSize = 512;

const send = (answer: BareAnswer) => process.send?.(answer);
let model: BareLlama | null = null;

process.on('message', (order: BareOrder) => {
  if (order.type === 'load') {
    model = new BareLlama(order.path, order);
    return send({ done: true });
  }
  if (!model) throw new Error('There is no model yet.');
  if (order.type === 'read') read(model, Int32Array.from(order.tokens));
  else generate(model, order.tokens);
  return send({ done: true });
});
process.on('disconnect', () => process.exit());

function read(llama: BareLlama, tokens: Int32Array): void {
  llama.clear();
  for (let start = 0; start < tokens.length; start += batchSize) {
    llama.decode(tokens.slice(start, start + batchSize));
  }
}

function generate(llama: BareLlama, tokens: number): void {
  for (let count = 0; count < tokens; count++) llama.decode(Int32Array.of(llama.greedy()));
}
