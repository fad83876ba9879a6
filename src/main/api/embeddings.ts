import { ApiError } from './api-error.ts';
import type { Exchange } from './exchange.ts';
import { parseEmbedding } from './requests.ts';
import type { WritingServices } from './writing.ts';

/** `POST /v1/embeddings` */
export async function embeddings(
  exchange: Exchange,
  { models, turns, host }: WritingServices,
): Promise<void> {
  const request = parseEmbedding(await exchange.body());
  const speaker = await models.find(request.model);
  if (speaker.adapters.length > 0) {
    throw new ApiError(400, 'Puna makes embeddings with a model itself; name it without its adapter.', {
      param: 'model',
    });
  }
  const texts = [request.input].flat();
  const { signal } = exchange;
  const { vectors, tokens } = await turns.run(speaker, { signal, begun: () => false }, (path) =>
    host.embed({ path, texts }, { signal }),
  );
  const size = vectors[0]?.length ?? 0;
  if (request.dimensions != null && request.dimensions !== size) {
    throw new ApiError(400, `The embeddings of this model have ${size} dimensions, and no other number.`, {
      param: 'dimensions',
    });
  }
  const inBase64 = request.encoding_format === 'base64';
  exchange.answer({
    object: 'list',
    data: vectors.map((vector, index) => ({
      ...{ object: 'embedding', index },
      embedding: inBase64 ? base64(vector) : [...vector],
    })),
    model: request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** 32-bit floats, the lowest byte first. */
function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) bytes.setFloat32(index * 4, value, true);
  return Buffer.from(bytes.buffer).toString('base64');
}
