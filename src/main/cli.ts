#!/usr/bin/env node
// Nothing is imported before Node's version is known: an older one would stop at syntax or crash in native code.
const oldestNode = 24;
if (Number(process.versions.node.split('.')[0]) >= oldestNode) {
  const program = await import('./commands/program.ts').catch((thrown: unknown) => {
    // A package that is not there, or is broken: nothing else keeps a program's own files from being loaded.
    const why = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown);
    console.error(
      `puna: A part of Puna is missing or broken (${why}). Install Puna again (npm ci, from its sources).`,
    );
    process.exitCode = 1;
  });
  await program?.runProgram();
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
