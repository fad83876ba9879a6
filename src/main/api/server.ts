import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback, loopbackHosts, sameSecret } from '../loopback/index.ts';
import { ApiError } from './api-error.ts';
import { embeddings } from './embeddings.ts';
import { Exchange } from './exchange.ts';
import { chatCompletion, completion, type WritingServices } from './writing.ts';

export interface ApiServerOptions extends WritingServices {
  /** 0 takes any free one. */
  port: number;
  key: string;
}

export interface ApiServer {
  /** The one that was asked for. */
  wanted: number;
  port: number;
  close(): Promise<void>;
}

type Endpoint = (exchange: Exchange, services: WritingServices, rest: string) => Promise<void>;

/** By method and path; what stands behind a last slash is given to the endpoint. */
const endpoints: Record<string, Endpoint> = {
  'GET /v1/models': async (exchange, { models }) =>
    exchange.answer({ object: 'list', data: (await models.list()).map(modelObject) }),
  'GET /v1/models/': async (exchange, { models }, rest) => {
    const name = decodeURIComponent(rest);
    const { model } = await models.find(name);
    exchange.answer(modelObject({ id: name, addedAt: model.addedAt }));
  },
  'POST /v1/chat/completions': chatCompletion,
  'POST /v1/completions': completion,
  'POST /v1/embeddings': embeddings,
};

/**
 * Puna's models behind OpenAI's API, on 127.0.0.1 and for whoever has the key. A web page of another host cannot get in: it has
 * no key, names another host if it came by DNS rebinding, and no answer allows it to be read. Errors: `port-in-use`.
 */
export async function startApiServer({ port, key, ...services }: ApiServerOptions): Promise<ApiServer> {
  const server = createServer();
  const taken = await listenOnLoopback(server, port, 'Choose another port for the API.');
  const hosts = loopbackHosts(taken);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const exchange = new Exchange(request, response);
    admit(request, hosts, key)
      .then((found) => found.endpoint(exchange, services, found.rest))
      .catch((thrown: unknown) => exchange.fail(thrown));
  });
  return {
    ...{ wanted: port, port: taken },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function admit(
  request: IncomingMessage,
  hosts: readonly string[],
  key: string,
): Promise<{ endpoint: Endpoint; rest: string }> {
  if (!hosts.includes(request.headers.host ?? '')) {
    throw new ApiError(421, 'Puna answers only under 127.0.0.1.');
  }
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!sameSecret(given.trim(), key)) {
    const sentence =
      given === ''
        ? 'Puna wants its API key; send it as "Authorization: Bearer KEY".'
        : 'This is not the API key of this Puna; its settings show it.';
    throw new ApiError(401, sentence, { code: 'invalid_api_key' });
  }
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  const method = request.method ?? 'GET';
  const whole = endpoints[`${method} ${path}`];
  if (whole) return { endpoint: whole, rest: '' };
  // Names may have slashes in them.
  const [, stem = '', rest = ''] = /^(\/v1\/models\/)(.+)$/s.exec(path) ?? [];
  const partial = endpoints[`${method} ${stem}`];
  if (partial) return { endpoint: partial, rest };
  throw new ApiError(404, `Puna has nothing at ${method} ${path}.`, { code: 'unknown_url' });
}

function modelObject({ id, addedAt }: { id: string; addedAt: number }): object {
  return { id, object: 'model', created: Math.floor(addedAt / 1000), owned_by: 'puna' };
}
