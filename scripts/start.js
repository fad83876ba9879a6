// `npm start`. Plain JavaScript, so that a Node too old for the rest gets as far as this sentence.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `Puna runs on Node 24, which its npm package "node" brings along, but this is Node ${process.versions.node}. ` +
      'Please run "npm ci" with install scripts allowed, and start Puna with "npm start".',
  );
  process.exit(1);
}
await import('./open.ts');
