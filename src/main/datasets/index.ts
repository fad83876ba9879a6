/** Reading what a model is to learn from: conversations and texts, from the files that people have. */
export type { Example, ExampleTurn, ReadReport } from './example.ts';
export type { ColumnMapping, Person } from './import/importer.ts';
export { type Place, peopleIn, readExamples, type ReadOptions } from './read.ts';
