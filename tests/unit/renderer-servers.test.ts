import { describe, expect, test } from 'vitest';
import { byServer } from '../../src/renderer/components/servers/groups.ts';
import { hostOf, isOpen } from '../../src/renderer/components/servers/place.ts';
import { programs } from '../../src/renderer/components/servers/programs.ts';
import { placeOf } from '../../src/shared/server-address.ts';
import { automaticLoadSettings, type Model, type ModelServer } from '../../src/shared/contract/index.ts';

describe('the address of a server', () => {
  test.each([
    ['http://192.168.0.7:8000/v1', '192.168.0.7:8000'],
    ['https://api.example.org/v1', 'api.example.org'],
    ['http://[::1]:8080/v1', '[::1]:8080'],
    ['workshop', 'workshop'],
  ])('%s names the machine %s', (address, host) => expect(hostOf(address)).toBe(host));

  test.each([
    ['http://192.168.0.7:8000/v1', true],
    ['http://workshop.local/v1', true],
    ['https://192.168.0.7:8000/v1', false],
    ['http://127.0.0.1:8080/v1', false],
    ['http://localhost:8080/v1', false],
    ['http://[::1]:8080/v1', false],
    ['http://127.0.0.1.example.org/v1', true],
    ['http://localhost.example.org/v1', true],
    ['', false],
  ])('%s can be overheard: %s', (address, open) => {
    expect(isOpen(address)).toBe(open);
    // As the program sees it, which says where the words of a conversation go.
    const url = URL.parse(address);
    if (url?.protocol === 'http:') expect(placeOf(url.hostname) !== 'this-computer').toBe(open);
  });

  test('that is filled in for a program is one on this computer', () => {
    for (const { address } of programs) expect(placeOf(new URL(address).hostname)).toBe('this-computer');
  });
});

test('models of servers stand under their servers, those of this computer under none', () => {
  const near: ModelServer = { id: 1, name: 'Near', place: 'local-network' };
  const far: ModelServer = { id: 2, name: 'Far', place: 'elsewhere' };
  const model = (id: number, server: ModelServer | null): Model => ({
    ...{ id, kind: server ? 'remote' : 'model', name: `model ${id}`, path: '', bytes: 0, architecture: '' },
    ...{ parameters: null, quantization: null, contextLength: null, hasChatTemplate: true, license: null },
    ...{
      origin: 'server',
      server,
      tags: [],
      verified: null,
      broken: null,
      loadSettings: automaticLoadSettings,
    },
    ...{ missing: false, addedAt: id },
  });
  const groups = byServer([model(1, far), model(2, null), model(3, near), model(4, far)]);
  expect(groups.map(({ server, models }) => [server.name, ...models.map(({ id }) => id)])).toEqual([
    ['Far', 1, 4],
    ['Near', 3],
  ]);
});
