import { z } from 'zod';
import { askServer, type ServerPatience, textOf } from './ask.ts';
import { type AskedServer, notApi, parseJson, refusal } from './failures.ts';

/** A model as its server tells of it. */
export interface OfferedModel {
  name: string;
  /** In tokens; null where the server does not tell. */
  contextLength: number | null;
}

/** Large services have some hundreds. */
const mostModels = 2000;

const count = z.int().positive().nullish().catch(null);
const modelSchema = z.object({
  id: z.string().min(1).max(500),
  /** vLLM */
  max_model_len: count,
  /** OpenRouter */
  context_length: count,
  /** llama-server: what a conversation may fill, and what the model was trained for. */
  meta: z.object({ n_ctx: count, n_ctx_train: count }).nullish().catch(null),
});
const list = z.array(z.unknown());
/** OpenAI's; some services leave the frame out, and Ollama has null where there are none. */
const answerSchema = z.union([z.object({ data: list.nullable() }).transform(({ data }) => data ?? []), list]);

/** Asks a server for its models. Errors: `NetworkError`. */
export async function askForModels(
  server: AskedServer,
  { connectMs, modelsMs }: ServerPatience,
  signal?: AbortSignal,
): Promise<OfferedModel[]> {
  const request = { path: '/models', accept: 'application/json', connectMs, answerMs: modelsMs, signal };
  const answer = await askServer(server, request);
  const words = await textOf(answer, server, modelsMs);
  const { status, headers } = answer;
  if (status !== 200) throw refusal(server, { status, headers, words }, { type: 'models' });
  const parsed = answerSchema.safeParse(parseJson(words));
  if (!parsed.success) throw notApi(server, words);
  const models = parsed.data.flatMap((entry) => {
    const model = modelSchema.safeParse(entry);
    if (!model.success) return [];
    const { id: name, max_model_len: vllm, context_length: openRouter, meta } = model.data;
    return [{ name, contextLength: vllm ?? openRouter ?? meta?.n_ctx ?? meta?.n_ctx_train ?? null }];
  });
  return [...new Map(models.slice(0, mostModels).map((model) => [model.name, model])).values()];
}

/** What servers also list, and nobody can talk to. */
const notForChat =
  /embed|rerank|whisper|transcri|(^|[-_/])tts|dall-?e|moderation|gpt-image|stable-diffusion|(^|[/-])flux|(^|[-/])bge-|realtime/i;

export function isForChat({ name }: OfferedModel): boolean {
  return !notForChat.test(name);
}
