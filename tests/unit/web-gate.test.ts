import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Gate } from '../../src/main/web/gate.ts';

const token = 'a'.repeat(43);
const gate = new Gate(token, 7862);

const request = (headers: Record<string, string>, url = '/') =>
  ({ headers, url }) as unknown as IncomingMessage;

describe('the browser shell lets in', () => {
  test.each(['127.0.0.1:7862', 'localhost:7862', '[::1]:7862'])('the loopback host %s', (host) => {
    expect(gate.hostAllowed(request({ host }))).toBe(true);
    expect(gate.originAllowed(request({ origin: `http://${host}` }))).toBe(true);
  });

  test('a host without a port, where the port is the usual one of http', () => {
    const usual = new Gate(token, 80);
    expect(usual.hostAllowed(request({ host: '127.0.0.1' }))).toBe(true);
    expect(usual.originAllowed(request({ origin: 'http://localhost' }))).toBe(true);
  });

  test('the token in the address and in the cookie, among others', () => {
    expect(gate.hasTokenInAddress(request({}, `/?token=${token}`))).toBe(true);
    expect(gate.hasCookie(request({ cookie: `theme=dark; puna-7862=${token}` }))).toBe(true);
  });
});

describe('the browser shell keeps out', () => {
  test.each(['evil.example:7862', '127.0.0.1', '127.0.0.1:80', '127.0.0.1.evil.example:7862', ''])(
    'the host %j',
    (host) => expect(gate.hostAllowed(request({ host }))).toBe(false),
  );

  test.each(['http://evil.example', 'https://127.0.0.1:7862', 'http://127.0.0.1:7863', 'null', ''])(
    'the origin %j',
    (origin) => expect(gate.originAllowed(request({ origin }))).toBe(false),
  );

  test('a request without origin, host, token or cookie', () => {
    expect(gate.hostAllowed(request({}))).toBe(false);
    expect(gate.originAllowed(request({}))).toBe(false);
    expect(gate.hasCookie(request({}))).toBe(false);
    expect(gate.hasTokenInAddress(request({}))).toBe(false);
  });

  test('a wrong token, a shorter one, and the cookie of another port', () => {
    expect(gate.hasTokenInAddress(request({}, `/?token=${'b'.repeat(43)}`))).toBe(false);
    expect(gate.hasTokenInAddress(request({}, '/?token=a'))).toBe(false);
    expect(gate.hasCookie(request({ cookie: `puna-7863=${token}` }))).toBe(false);
  });
});

test('the cookie is out of reach of scripts and other sites', () => {
  expect(gate.cookie).toContain('HttpOnly');
  expect(gate.cookie).toContain('SameSite=Strict');
});
