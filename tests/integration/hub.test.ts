import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ggufModels, Hub, recommend } from '../../src/main/hub/index.ts';
import { sha256, startFileServer, startHub, type StandInHub } from '../support/hub.ts';

const id = 'someone/some-model-GGUF';
const weights = (length: number) => Buffer.alloc(length, 1);
const card = '---\nlicense: apache-2.0\nbase_model: big/model\n---\n# Some model\n\nGood.';
const retries = { attempts: 3, firstPauseMs: 5 };

let standIn: StandInHub;
let hub: Hub;
beforeEach(async () => {
  standIn = await startHub([
    {
      id,
      files: {
        'README.md': Buffer.from(card),
        'm.Q4_K_M.gguf': weights(5000),
        'm.Q8_0-00001-of-00002.gguf': weights(6000),
        'm.Q8_0-00002-of-00002.gguf': weights(3000),
      },
      downloads: 12,
      tags: ['license:apache-2.0', 'region:us'],
      cardData: { license: 'apache-2.0', base_model: 'big/model', language: ['en', 'ko'] },
    },
    { id: 'someone/plain', files: { 'model.safetensors': weights(2000) } },
  ]);
  hub = new Hub({ endpoint: standIn.url, retries });
});
afterEach(() => standIn.close());

describe('A search', () => {
  test('finds repositories with GGUF files alone', async () => {
    const { models, next } = await hub.search({ words: 'someone' });
    expect(models).toEqual([
      {
        ...{ id, downloads: 12, likes: 3, gated: false, changedAt: '2025-05-09T10:00:00.000Z' },
        tags: ['license:apache-2.0', 'region:us', 'gguf'],
      },
    ]);
    expect(next).toBeNull();
  });

  test('goes on page by page at its own endpoint, though a mirror names that of the hub', async () => {
    for (let number = 0; number < 5; number++) {
      standIn.put({ id: `many/m${number}`, files: { 'a.gguf': weights(1) }, downloads: number });
    }
    const found: string[] = [];
    let from: string | null = null;
    do {
      const page = await hub.search({ words: 'many', limit: 2, from });
      found.push(...page.models.map((model) => model.id));
      from = page.next;
    } while (from !== null);
    expect(found).toEqual([4, 3, 2, 1, 0].map((number) => `many/m${number}`));
    expect(standIn.seen).toHaveLength(3);
    const asked = new URL(standIn.seen[0]?.path ?? '', standIn.url).searchParams;
    expect(asked.get('filter')).toBe('gguf');
    expect(asked.get('sort')).toBe('downloads');
  });
});

describe('A repository', () => {
  test('tells its files with size and hash, and where it comes from', async () => {
    const repository = await hub.repository(id);
    expect(repository).toMatchObject({
      ...{ id, license: 'apache-2.0', baseModels: ['big/model'], languages: ['en', 'ko'], gated: false },
      revision: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    const [readme, small] = repository.files;
    expect(readme).toMatchObject({ path: 'README.md', bytes: card.length });
    expect(small).toEqual({
      path: 'm.Q4_K_M.gguf',
      bytes: 5000,
      digest: { sha256: sha256(weights(5000)) },
    });
    const { groups } = ggufModels(repository.files);
    expect(groups.map(({ quantization, models }) => [quantization, models[0]?.bytes])).toEqual([
      ['Q4_K_M', 5000],
      ['Q8_0', 9000],
    ]);
    expect(recommend({ groups })?.quantization).toBe('Q4_K_M');
    expect(await hub.card(repository)).toBe('# Some model\n\nGood.');
    expect(hub.fileAddress(repository, 'a b/ü#.gguf')).toBe(
      `${standIn.url}/${id}/resolve/${repository.revision}/a%20b/%C3%BC%23.gguf`,
    );
  });

  test('is understood as well as possible where a mirror leaves things out', async () => {
    standIn.put({
      id: 'odd/odd',
      files: { 'a.gguf': weights(10) },
      cardData: { license: 7, base_model: ['a/b'] },
    });
    const repository = await hub.repository('odd/odd');
    expect(repository).toMatchObject({ license: null, baseModels: ['a/b'], languages: [] });
    expect(await hub.card({ id: 'odd/odd', revision: 'main' })).toBeNull();
  });
});

describe('Trouble with the hub is one sentence with a remedy:', () => {
  const host = () => hub.endpoint.host;

  test('no such repository, or a private one', async () => {
    await expect(hub.repository('no/where')).rejects.toMatchObject({
      code: 'not-found',
      message: `${host()} has not found the repository no/where.`,
      remedy: `Check its name; a private one needs a token (in the app's settings, or for commands HF_TOKEN or "puna models token").`,
    });
    standIn.put({ id: 'my/own', files: {}, private: true });
    await expect(hub.repository('my/own')).rejects.toThrow('has not found');
    const mine = new Hub({ endpoint: standIn.url, token: standIn.token, retries });
    expect((await mine.repository('my/own')).id).toBe('my/own');
  });

  test('a gated one', async () => {
    standIn.put({ id: 'big/gated', files: { 'README.md': Buffer.from('x') }, gated: 'manual' });
    const repository = await hub.repository('big/gated');
    expect(repository.gated).toBe('manual');
    await expect(hub.card(repository)).rejects.toMatchObject({
      reason: 'no-access',
      message: `${host()} gives the model card of big/gated only to those who have accepted its conditions.`,
      remedy: `Accept the conditions on ${standIn.url}/big/gated, and give Puna a token of your account (in the app's settings, or for commands HF_TOKEN or "puna models token").`,
    });
  });

  test('a token that is not accepted', async () => {
    standIn.apiFault({ status: 401, headers: { 'x-error-code': 'InvalidToken' } });
    const other = new Hub({ endpoint: standIn.url, token: 'hf_old', retries });
    await expect(other.repository(id)).rejects.toThrow(`${host()} does not accept the token.`);
  });

  test('a web page instead of JSON, as hotels send it', async () => {
    standIn.apiFault({ html: true });
    await expect(hub.repository(id)).rejects.toMatchObject({
      reason: 'wrong-answer',
      message: `${host()} answers with a web page instead of the repository ${id}.`,
    });
    expect(standIn.seen).toHaveLength(1);
  });

  test('other JSON, and no JSON', async () => {
    for (const [text, sentence] of [
      ['{"error": 1}', 'answers with JSON that is not the search.'],
      ['[1,', 'answers with something that is no JSON instead of the search.'],
    ] as const) {
      const server = await startFileServer((_, response) => void response.end(text));
      const other = new Hub({ endpoint: server.url, retries });
      await expect(other.search({ words: '' }).finally(() => server.close())).rejects.toThrow(sentence);
    }
  });

  test('too many questions: it waits as long as it is told to', async () => {
    standIn.apiFault({ status: 429, headers: { 'retry-after': '0' }, times: 2 });
    expect((await hub.repository(id)).id).toBe(id);
    expect(standIn.seen).toHaveLength(3);
    standIn.apiFault({ status: 429, headers: { 'retry-after': '3600' } });
    standIn.seen.length = 0;
    await expect(hub.repository(id)).rejects.toMatchObject({
      reason: 'rate-limited',
      message: `${host()} has been asked too often.`,
      remedy: 'Try again in 3600 seconds; with a token it allows more.',
    });
    expect(standIn.seen).toHaveLength(1);
  });

  test('trouble of its own, which may pass', async () => {
    standIn.apiFault({ status: 503, times: 2 });
    expect((await hub.repository(id)).id).toBe(id);
    standIn.apiFault({ status: 503 });
    await expect(hub.repository(id)).rejects.toThrow(`${host()} has trouble of its own (status 503).`);
  });

  test('nobody there, and no answer', async () => {
    const nobody = new Hub({ endpoint: 'http://127.0.0.1:1', retries });
    await expect(nobody.repository(id)).rejects.toThrow('No server answers at 127.0.0.1:1.');
    const silent = await startFileServer(() => undefined);
    const patient = new Hub({ endpoint: silent.url, retries, answerWithinMs: 100 });
    await expect(patient.repository(id).finally(() => silent.close())).rejects.toThrow(
      'did not answer for 1 seconds.',
    );
  });

  test('an answer that begins and never ends', async () => {
    const slow = await startFileServer((_, response) => {
      response.write('[');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const patient = new Hub({ endpoint: slow.url, retries, answerWithinMs: 200 });
    await expect(patient.search({ words: '' }).finally(() => slow.close())).rejects.toMatchObject({
      reason: 'unreachable',
      message: `${new URL(slow.url).host} has sent next to nothing of the search for 1 seconds.`,
    });
  });

  test('names that are none', async () => {
    expect(() => new Hub({ endpoint: 'huggingface.co' })).toThrow('is not the address of a hub.');
    for (const name of ['../x', 'a/b/c', 'a/..', '', 'a b/c']) {
      await expect(hub.repository(name)).rejects.toMatchObject({ code: 'invalid-input' });
    }
    expect(standIn.seen).toEqual([]);
  });
});

test('The token goes to the endpoint alone', async () => {
  const mine = new Hub({ endpoint: `${standIn.url}/mirror/`, token: 'hf_mine', retries });
  await expect(mine.repository(id)).rejects.toThrow();
  expect(standIn.seen.every(({ authorization }) => authorization === 'Bearer hf_mine')).toBe(true);
  expect(standIn.seen[0]?.path).toBe(`/mirror/api/models/${id}?blobs=true`);
});
