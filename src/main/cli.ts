#!/usr/bin/env node
// Nothing is imported before Node's version is known: an older one would stop at syntax or crash in native code.
const oldestNode = 24;
if (Number(process.versions.node.split('.')[0]) >= oldestNode) {
  const { runProgram } = await import('./commands/program.ts');
  await runProgram();
} else {
  const { ownNode, runAgainOn } = await import('./commands/own-node.ts');
  const node = ownNode();
  if (node) {
    runAgainOn(node);
  } else {
    console.error(
      `puna: This is Node ${process.versions.node}, but Puna needs Node ${oldestNode}, which it brings along where npm may run ` +
        'install scripts. Install Puna anew with them allowed, or install a newer Node.',
    );
    process.exitCode = 1;
  }
}
