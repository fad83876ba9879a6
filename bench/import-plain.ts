import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** The least that any import of a file must do: `JSON.parse` of each of its lines, and nothing with what is found. */
let found = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2] ?? '') })) {
  if (JSON.parse(line) !== null) found++;
}
console.log(found);
