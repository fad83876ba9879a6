import type {
  CleanReport,
  CleanSettings,
  DatasetCounts,
  DatasetExample,
  DataSource,
  ExampleChoice,
  ExampleContent,
  ExampleFilter,
  ExampleRow,
  ImportSource,
  LeftOut,
  MaskPreview,
  Measures,
} from '../../shared/contract/index.ts';
import type { DatabaseFacts } from '../storage/index.ts';

/** A file to read, and what errors and sources call it. */
export type FileSource = Omit<Extract<ImportSource, { from: 'file' }>, 'from'> & { label: string };

export interface ImportInput {
  sources: readonly FileSource[];
  clean: CleanSettings | null;
  /** Share that is measured on. */
  validation: number;
  /** From which the sample and what is measured on are drawn. */
  seed: number;
  /** The dataset file to write; it appears when it is whole. */
  out: string;
}

export interface ImportEvent {
  type: 'progress';
  /** Of all bytes. */
  share: number;
  examples: number;
  current: string;
}

export interface ImportResult {
  counts: DatasetCounts;
  leftOut: LeftOut[];
  cleaned: CleanReport | null;
  sampledFrom: number | null;
}

/** An example that is added, with where it came from. */
export interface NewExample {
  content: ExampleContent;
  source: string;
}

export interface Snapshot {
  /** JSONL files of what is learnt from, and of what is measured on; null where there is none. */
  data: string | null;
  validationData: string | null;
  /** SHA-256 of both; their names begin with it. */
  fingerprint: string;
  examples: number;
  validationExamples: number;
}

/** What the dataset engine can do: it reads files that strangers have made, and holds datasets open. */
export type DatasetJobs = {
  /** Looks at Puna's own database: the check reads all of it, which is nothing for the process that answers people. */
  databaseFacts: { input: { file: string; check: boolean }; event: never; result: DatabaseFacts };
  inspect: { input: { path: string; dates: string | null }; event: never; result: DataSource };
  import: { input: ImportInput; event: ImportEvent; result: ImportResult };
  /** Makes an empty dataset file, unless there is one. */
  create: { input: { file: string }; event: never; result: null };
  counts: { input: { file: string }; event: never; result: DatasetCounts };
  page: {
    input: { file: string; filter: ExampleFilter; offset: number; limit: number };
    event: never;
    result: { examples: ExampleRow[]; total: number };
  };
  example: { input: { file: string; id: number }; event: never; result: DatasetExample };
  change: {
    input: { file: string; choice: ExampleChoice; excluded?: boolean; validation?: boolean };
    event: never;
    result: DatasetCounts;
  };
  edit: {
    input: { file: string; id: number; content: ExampleContent };
    event: never;
    result: DatasetExample;
  };
  /** Adds examples at the end; gives the last one. */
  add: { input: { file: string; examples: NewExample[] }; event: never; result: DatasetExample };
  split: { input: { file: string; validation: number; seed: number }; event: never; result: DatasetCounts };
  /** Lengths by a model's tokenizer, which are kept with the examples. `modelId` is only handed on. */
  measure: { input: { file: string; model: string; modelId: number }; event: never; result: Measures };
  preview: {
    input: { file: string; id: number; model: string; context: number };
    event: never;
    result: MaskPreview;
  };
  /** Writes all that is not excluded into a folder, under the name of its content: what a run learns from is never changed. */
  snapshot: { input: { file: string; folder: string }; event: never; result: Snapshot };
  /** Whole examples in order, after one of them, for whoever makes something of them: those that are not excluded. Fewer than `limit` where they are long; none at the end only. */
  read: {
    input: { file: string; after: number; limit: number };
    event: never;
    result: { id: number; source: string; content: ExampleContent }[];
  };
};
