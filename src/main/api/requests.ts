import { z } from 'zod';
import { ApiError } from './api-error.ts';

const textPartSchema = z.object({ type: z.string(), text: z.string().optional() });
const contentSchema = z.union([z.string(), z.array(textPartSchema)], {
  error: 'it must be a text or a list of parts',
});

const messageSchema = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: contentSchema.nullish(),
});
export type ApiMessage = z.infer<typeof messageSchema>;

/** What holds for texts of both kinds. Ranges are OpenAI's; what its API does not know is named as llama.cpp's server does. */
const writingShape = {
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(5).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).max(1000).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repeat_penalty: z.number().min(0.5).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  max_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  seed: z.int().nullish(),
  n: z.int().nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  logprobs: z.union([z.boolean(), z.int()]).nullish(),
};

const schemaSchema = z.record(z.string(), z.unknown());
const chatSchema = z.object({
  ...writingShape,
  messages: z.array(messageSchema).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  reasoning_effort: z.string().nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ name: z.string().optional(), schema: schemaSchema.optional() }),
      }),
    ])
    .nullish(),
  tools: z.array(z.unknown()).nullish(),
  tool_choice: z.unknown().optional(),
  functions: z.array(z.unknown()).nullish(),
  modalities: z.array(z.string()).nullish(),
});
export type ChatRequest = z.infer<typeof chatSchema>;

const completionSchema = z.object({
  ...writingShape,
  prompt: z
    .union([z.string(), z.array(z.string()).length(1)], {
      error: 'Puna takes one text, and neither several nor tokens',
    })
    .nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().nullish(),
});
export type CompletionRequest = z.infer<typeof completionSchema>;
export type WritingRequest = Omit<ChatRequest, 'messages'> | CompletionRequest;

/** Texts of one request; each has to wait for the one before it. */
const mostTexts = 2048;

const embeddingSchema = z.object({
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(mostTexts)], {
    error: `it must be a text or a list of at most ${mostTexts} texts, none of them empty`,
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().nullish(),
});
export type EmbeddingRequest = z.infer<typeof embeddingSchema>;

/** Errors: an `ApiError` for what is not as it must be, or asks for what Puna cannot do. */
export function parseChat(body: unknown): ChatRequest {
  const request = parse(chatSchema, body);
  refuseCommon(request);
  const { tools, tool_choice: choice, functions, modalities } = request;
  const wantsTools = (tools ?? functions ?? []).length > 0 && choice !== 'none';
  refuseIf(wantsTools, 'tools', 'Puna does not call tools; leave them out, or set tool_choice to "none".');
  refuseIf(
    modalities?.some((kind) => kind !== 'text'),
    'modalities',
    'Puna answers with text alone.',
  );
  return request;
}

export function parseCompletion(body: unknown): CompletionRequest {
  const request = parse(completionSchema, body);
  refuseCommon(request);
  const { suffix, echo, best_of: bestOf } = request;
  refuseIf(
    (suffix ?? '') !== '',
    'suffix',
    'Puna writes what follows a text, not what stands before another.',
  );
  refuseIf(echo, 'echo', 'Puna does not repeat the prompt; put it before the answer yourself.');
  refuseIf((bestOf ?? 1) !== 1, 'best_of', 'Puna writes one text for a request; ask several times.');
  return request;
}

export function parseEmbedding(body: unknown): EmbeddingRequest {
  return parse(embeddingSchema, body);
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw ApiError.ofBody(parsed.error);
  return parsed.data;
}

function refuseCommon({ n, logit_bias: bias, logprobs }: Pick<ChatRequest, 'n' | 'logit_bias' | 'logprobs'>) {
  refuseIf((n ?? 1) !== 1, 'n', 'Puna writes one answer for a request; ask several times, also at once.');
  refuseIf(Object.keys(bias ?? {}).length > 0, 'logit_bias', 'Puna cannot favour single tokens.');
  refuseIf((logprobs ?? false) !== false, 'logprobs', 'Puna does not tell probabilities.');
}

function refuseIf(condition: boolean | null | undefined, param: string, sentence: string): void {
  if (condition) throw new ApiError(400, sentence, { param, code: 'unsupported_parameter' });
}
