import { z } from 'zod';
import {
  boilerplateKinds,
  cleanerNames,
  comparedParts,
  knownLanguages,
  personalActions,
  personalKinds,
} from './default-clean.ts';

// Apart, so that the page can have them without the schemas.
export {
  type BoilerplateKind,
  boilerplateKinds,
  type CleanerName,
  type ComparedPart,
  defaultCleanSettings,
  type Language,
  type PersonalAction,
  type PersonalKind,
  personalKinds,
} from './default-clean.ts';

const count = z.int().nonnegative();

/** What is cleaned from examples before a model learns from them. Each cleaner is off unless it is `on`. */
export const cleanSettingsSchema = z.object({
  personalData: z.object({
    on: z.boolean(),
    kinds: z.record(z.enum(personalKinds), z.enum(personalActions)),
  }),
  boilerplate: z.object({ on: z.boolean(), kinds: z.array(z.enum(boilerplateKinds)) }),
  length: z.object({
    on: z.boolean(),
    /** Of all turns together, or of the text; as Unicode counts them, white space at the ends aside. */
    minCharacters: count,
    /** Of a conversation; a text as it stands may be as long as it likes, since training reads it in pieces. Null: no limit. */
    maxCharacters: z.int().min(1).nullable(),
    /** Of a conversation, those of both sides. */
    minTurns: count,
    maxTurns: z.int().min(2).nullable(),
  }),
  language: z.object({
    on: z.boolean(),
    /** Languages that stay. Code, and what is too short to tell, always stays. */
    keep: z.array(z.enum(knownLanguages)).min(1),
  }),
  exactDuplicates: z.object({ on: z.boolean(), compare: z.enum(comparedParts) }),
  nearDuplicates: z.object({
    on: z.boolean(),
    compare: z.enum(comparedParts),
    /** Jaccard similarity of the sets of three words each from which on an example is a duplicate. */
    similarity: z.number().min(0.5).max(1),
  }),
});
export type CleanSettings = z.infer<typeof cleanSettingsSchema>;

/** Why something was changed or dropped: a kind of personal data or boilerplate, a limit, a language, `duplicate`. */
export const cleanReasonSchema = z.object({
  reason: z.string(),
  /** Times it was found. */
  count,
  /** Beginnings of the first few texts, or what stands around the mask; personal data in them is masked. */
  samples: z.array(z.string()),
});
export type CleanReason = z.infer<typeof cleanReasonSchema>;

/** What one cleaner did. It sees what those before it left. */
export const cleanerReportSchema = z.object({
  cleaner: z.enum(cleanerNames),
  seen: count,
  changed: count,
  dropped: count,
  /** Examples that later ones are not compared with, since the cleaner's memory was full. */
  notRemembered: count,
  reasons: z.array(cleanReasonSchema),
});
export type CleanerReport = z.infer<typeof cleanerReportSchema>;

/** What cleaning did, brought up to date while examples are read. */
export const cleanReportSchema = z.object({
  /** Examples that came in, and that went out. */
  seen: count,
  kept: count,
  cleaners: z.array(cleanerReportSchema),
});
export type CleanReport = z.infer<typeof cleanReportSchema>;
