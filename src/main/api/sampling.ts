import { defaultSampling } from '../../shared/contract/index.ts';
import type { CompletionInput } from '../inference/messages.ts';
import type { WritingRequest } from './requests.ts';

/** How a request wants its text written. What it leaves open is as for new conversations, but that nothing repeated is punished. */
export function samplingOf(request: WritingRequest): CompletionInput['sampling'] {
  const longest = 'max_completion_tokens' in request ? request.max_completion_tokens : null;
  return {
    temperature: request.temperature ?? defaultSampling.temperature,
    topP: request.top_p ?? defaultSampling.topP,
    topK: request.top_k ?? defaultSampling.topK,
    minP: request.min_p ?? defaultSampling.minP,
    // What is wanted of programs often is: JSON, code, tables.
    repeatPenalty: request.repeat_penalty ?? 1,
    presencePenalty: request.presence_penalty ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    // OpenAI's are 64 bits long.
    seed: request.seed == null ? null : Number(BigInt.asUintN(32, BigInt(request.seed))),
    maxTokens: longest ?? request.max_tokens ?? null,
  };
}

export function stopsOf({ stop }: WritingRequest): string[] {
  return [stop ?? []].flat().filter((words) => words !== '');
}
