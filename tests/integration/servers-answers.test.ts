import type { ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import {
  createBrotliCompress,
  createDeflate,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  type Gzip,
  gzipSync,
} from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askForModels } from '../../src/main/servers/models-list.ts';
import { remoteReply } from '../../src/main/servers/reply.ts';
import { defaultSampling } from '../../src/shared/contract/index.ts';
import { type Answer, type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';

/** Long enough for a machine that is busy; no test waits until it is over. */
const patience = { connectMs: 20_000, modelsMs: 20_000, firstPieceMs: 20_000, silenceMs: 20_000 };

let standIn: OpenAiServer;

beforeEach(async () => {
  standIn = await startOpenAiServer();
});
afterEach(() => standIn.close());

const server = () => ({ address: standIn.address, host: standIn.host, key: null });

/** What comes of asking the stand-in. `onPiece`: told of all that has come so far. */
async function reply(onPiece: (text: string) => void = () => undefined) {
  let text = '';
  const error = await remoteReply(
    { server: server(), name: 'llama', contextLength: null, leftOut: new Set() },
    {
      ...{ systemPrompt: '', turns: [{ role: 'user', text: 'Hi' }] },
      ...{ continued: null, sampling: { ...defaultSampling, seed: 7 } },
    },
    {
      ...{ signal: new AbortController().signal, patience },
      onEvent: (event) => {
        if (event.type === 'piece') onPiece((text += event.piece));
      },
    },
  ).then(
    () => null,
    (thrown: unknown) => (thrown as Error).message,
  );
  return { text, error };
}

const event = (content: string, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason }] })}\n\n`;
const whole = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'At once.' } }] });

/** What sends, when it is told to, all that was written so far. */
type Compressor = Transform & Pick<Gzip, 'flush'>;

const encodings: [string, string, () => Compressor][] = [
  ['gzip', 'gzip', createGzip],
  ['gzip, by its old name', 'x-gzip', createGzip],
  ['deflate', 'Deflate', createDeflate],
  ['deflate without a header', 'deflate', createDeflateRaw],
  ['br', 'br', createBrotliCompress],
  ['zstd', 'zstd', createZstdCompress],
];

describe('a server that compresses, though it was asked not to,', () => {
  test.for(encodings)('by %s, tells its models', async ([, encoding, compressor]) => {
    standIn.answers.models = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding });
      const through = compressor();
      through.pipe(response);
      through.end(JSON.stringify({ data: [{ id: 'llama', max_model_len: 4096 }] }));
    };
    expect(await askForModels(server(), patience)).toEqual([{ name: 'llama', contextLength: 4096 }]);
    expect(standIn.asked.at(-1)?.headers['accept-encoding']).toBe('identity');
  });

  test.for(encodings)('by %s, replies word by word', async ([, encoding, compressor]) => {
    const seen = Promise.withResolvers<undefined>();
    standIn.answers.chat = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': encoding });
      const through = compressor();
      through.pipe(response);
      through.write(event('One'));
      through.flush();
      // Nothing more comes before the first word has arrived.
      await seen.promise;
      through.write(event(' two', 'stop'));
      through.end('data: [DONE]\n\n');
    };
    const told = await reply((text) => {
      if (text === 'One') seen.resolve(undefined);
    });
    expect(told).toEqual({ text: 'One two', error: null });
  });

  test('twice is understood, too', async () => {
    standIn.answers.chat = sends(gzipSync(gzipSync(whole)), {
      'content-type': 'application/json',
      'content-encoding': 'gzip, gzip',
    });
    expect(await reply()).toEqual({ text: 'At once.', error: null });
  });

  test('and refuses is quoted', async () => {
    standIn.answers.chat = (response) => {
      response.writeHead(401, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify({ error: { message: 'No key, no words.' } })));
    };
    expect((await reply()).error).toMatch(/wants a key\. It says: No key, no words\.$/);
  });

  test('and breaks off is told from one that has ended; what came stays', async () => {
    standIn.answers.chat = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      const through = createGzip();
      through.pipe(response, { end: false });
      through.write(event('One'));
      through.flush();
      await new Promise((resolve) => setTimeout(resolve, 50));
      response.end();
    };
    expect(await reply()).toEqual({
      text: 'One',
      error: `${standIn.host} ended in the middle of the reply.`,
    });
  });

  test('in a way that nobody knows, or in none that it says, is told so', async () => {
    standIn.answers.chat = sends(whole, { 'content-encoding': 'compress' });
    expect((await reply()).error).toBe(
      `${standIn.host} sends its answer compressed in a way that Puna does not know ("compress").`,
    );
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd']) {
      standIn.answers.chat = sends(whole, { 'content-encoding': encoding });
      expect((await reply()).error, encoding).toBe(
        `${standIn.host} sends an answer that is compressed, and cannot be unpacked.`,
      );
    }
  });
});

/** What servers call what they send; undefined: they do not say. */
const types = [
  'text/event-stream',
  'text/plain; charset=utf-8',
  'application/octet-stream',
  'application/json',
  undefined,
];

describe.for(types)('a reply that is sent as %s', (type) => {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };

  test('comes word by word where it is a stream', async () => {
    const seen = Promise.withResolvers<undefined>();
    standIn.answers.chat = async (response) => {
      response.writeHead(200, headers);
      response.write(event('One'));
      await seen.promise;
      response.end(event(' two', 'stop'));
    };
    const told = await reply((text) => {
      if (text === 'One') seen.resolve(undefined);
    });
    expect(told).toEqual({ text: 'One two', error: null });
  });

  test.for([': comment\n\n', '\n\n', '\uFEFF', 'event: message\n', 'id: 1\n', 'retry: 10\n\n'])(
    'is known as a stream that begins with %j, wherever the network cuts it',
    async (before) => {
      standIn.answers.chat = async (response) => {
        response.writeHead(200, headers);
        for (const byte of Buffer.from(`${before}${event('One', 'stop')}`.slice(0, 12))) {
          response.write(Buffer.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        response.end(`${before}${event('One', 'stop')}`.slice(12));
      };
      expect(await reply()).toEqual({ text: 'One', error: null });
    },
  );

  test('is whole where it is none', async () => {
    standIn.answers.chat = sends(`\n ${whole}`, headers);
    expect(await reply()).toEqual({ text: 'At once.', error: null });
  });

  test('comes also after many empty lines, with which some servers keep the connection awake', async () => {
    standIn.answers.chat = sends('\n'.repeat(50_000) + event('One', 'stop'), headers);
    expect(await reply()).toEqual({ text: 'One', error: null });
  });

  test('is none where nothing comes but empty lines, without end', async () => {
    standIn.answers.chat = (response) => {
      response.writeHead(200, headers);
      const lines = setInterval(() => response.write('\n'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(lines));
    };
    expect(await reply()).toEqual({ text: '', error: `${standIn.host} answers without end.` });
  });

  test('is a failure where it says so', async () => {
    standIn.answers.chat = sends(JSON.stringify({ error: { message: 'Out of memory', code: 500 } }), headers);
    expect((await reply()).error).toMatch(/trouble of its own \(500\)\. It says: Out of memory$/);
  });

  test('is none where it is a web page', async () => {
    standIn.answers.chat = sends('<!doctype html><html><body>Sign in</body></html>', headers);
    expect((await reply()).error).toMatch(/answers with a web page instead/);
  });

  test('is none where it is something else', async () => {
    standIn.answers.chat = sends('date: today\n', headers);
    expect((await reply()).error).toMatch(
      type === 'text/event-stream' ? /ended in the middle/ : /answers with something else instead/,
    );
  });
});

function sends(bytes: string | Buffer, headers: Record<string, string>): Answer {
  return (response: ServerResponse) => {
    response.writeHead(200, headers);
    response.end(bytes);
  };
}
