#!/usr/bin/env node
// Nothing is imported before Node's version is known: an older one would stop at syntax or crash in native code.
// The scripts of npm, and `npm exec`, run the Node that Puna brings along.
const oldestNode = 24;
if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  console.error(
    `puna: This is Node ${process.versions.node}, but Puna needs Node ${oldestNode}. ` +
      'Start it with "npm exec puna -- …", which uses the one that comes with it.',
  );
  process.exit(1);
}
const { runProgram } = await import('./commands/program.ts');
await runProgram();
