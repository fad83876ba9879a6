import { afterEach, describe, expect, test, vi } from 'vitest';
import { endpointOf, environmentToken, isOpenWay, tokenName } from '../../src/main/hub/index.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('The address of a hub', () => {
  test('is the given one, that of the environment, or the usual one', () => {
    vi.stubEnv('HF_ENDPOINT', '');
    expect(endpointOf(null).href).toBe('https://huggingface.co/');
    vi.stubEnv('HF_ENDPOINT', 'https://mirror.example/hub');
    expect(endpointOf('').href).toBe('https://mirror.example/hub');
    expect(endpointOf('http://10.0.0.7:8080').href).toBe('http://10.0.0.7:8080/');
  });

  test.each([
    'https://me:hidden@hub.example',
    'https://hidden@hub.example',
    'me:hidden@hub.example',
    'https://hub.example/?token=hidden',
    'https://hub.example/#hidden',
  ])('with a secret in it is refused, and not repeated: %s', (address) => {
    expect(() => endpointOf(address)).toThrow(/must hold no name, password or token/);
    expect(() => endpointOf(address)).not.toThrow(/hidden/);
    vi.stubEnv('HF_ENDPOINT', address);
    expect(() => endpointOf()).toThrow(/must hold no name, password or token/);
  });

  test.each([
    ['https://huggingface.co', false],
    ['http://localhost:8080', false],
    ['http://127.0.0.1', false],
    ['http://[::1]:80', false],
    ['http://192.168.0.4', true],
    ['http://localhost.example', true],
  ])('tells whether others can overhear: %s, %s', (address, open) => {
    expect(isOpenWay(new URL(address))).toBe(open);
  });
});

describe('A token', () => {
  test('is kept for one hub, whatever path of it is asked', () => {
    const names = [
      'https://huggingface.co',
      'https://huggingface.co/x',
      'http://huggingface.co',
      'https://a.b',
    ];
    expect(names.map((address) => tokenName(new URL(address)))).toEqual([
      'hub-token',
      'hub-token',
      'hub-token http://huggingface.co',
      'hub-token https://a.b',
    ]);
  });

  test('of the environment goes over no open way, but to the hub that is named beside it', () => {
    vi.stubEnv('HF_TOKEN', ' hf_one\n');
    vi.stubEnv('HF_ENDPOINT', 'http://hub.example/');
    const sent = (address: string) => environmentToken(new URL(address));
    expect(sent('https://huggingface.co')).toBe('hf_one');
    expect(sent('http://127.0.0.1:90')).toBe('hf_one');
    expect(sent('http://hub.example/api')).toBe('hf_one');
    expect(sent('http://other.example')).toBeNull();
  });
});
