import { z } from 'zod';

/**
 * Answers of the hub, as its public documentation has them (https://huggingface.co/docs/hub/api). Mirrors and older hubs leave things
 * out: what is not needed to download may be missing, and what is strange counts as missing.
 */
const text = z.string();
const count = z.int().nonnegative().nullable().catch(null).default(null);
const strings = z.array(text).catch([]).default([]);
const gated = z
  .union([z.literal(false), z.enum(['auto', 'manual'])])
  .catch(false)
  .default(false);

/** A line of a search: `GET /api/models`. */
export const foundSchema = z.object({
  id: text,
  downloads: count,
  likes: count,
  lastModified: text.nullable().catch(null).default(null),
  gated,
  tags: strings,
  pipeline_tag: text.nullable().catch(null).default(null),
});

export const foundListSchema = z.array(foundSchema);

const oneOrMany = z
  .union([text.transform((one) => [one]), z.array(text)])
  .catch([])
  .default([]);

/** A repository: `GET /api/models/OWNER/NAME?blobs=true`. */
export const repositorySchema = foundSchema.extend({
  sha: text.nullable().catch(null).default(null),
  cardData: z
    .object({
      license: oneOrMany,
      license_name: text.nullable().catch(null).default(null),
      license_link: text.nullable().catch(null).default(null),
      base_model: oneOrMany,
      language: oneOrMany,
    })
    .nullable()
    .catch(null)
    .default(null),
  /** What the hub has read from the header of a GGUF file. */
  gguf: z
    .object({
      total: count,
      architecture: text.nullable().catch(null).default(null),
      context_length: count,
    })
    .nullable()
    .catch(null)
    .default(null),
  siblings: z
    .array(
      z.object({
        rfilename: text,
        size: z.int().nonnegative().nullable().catch(null).default(null),
        /** Of git: SHA-1 of the blob, which for a file in LFS is that of its pointer. */
        blobId: text.nullable().catch(null).default(null),
        lfs: z
          .object({ sha256: text.regex(/^[0-9a-f]{64}$/i), size: z.int().nonnegative() })
          .nullable()
          .catch(null)
          .default(null),
      }),
    )
    .default([]),
});
