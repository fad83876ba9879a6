import { describe, expect, test } from 'vitest';
import { parseAddress, refuseOpenKey } from '../../src/main/servers/address.ts';
import { placeOf } from '../../src/shared/server-address.ts';

describe('the address of a server', () => {
  test.for([
    ['http://192.168.0.7:8000/v1', 'http://192.168.0.7:8000/v1'],
    [' https://api.example.com/v1/ ', 'https://api.example.com/v1'],
    ['https://api.example.com/v1/chat/completions', 'https://api.example.com/v1'],
    ['https://api.example.com/openai/models', 'https://api.example.com/openai'],
    ['http://box:8000//v1//', 'http://box:8000/v1'],
    ['http://localhost:11434', 'http://localhost:11434/v1'],
    ['localhost:11434', 'http://localhost:11434/v1'],
    ['box:8000', 'http://box:8000/v1'],
    ['[::1]:8000', 'http://[::1]:8000/v1'],
    ['api.example.com', 'https://api.example.com/v1'],
    ['100.101.102.103:8000', 'http://100.101.102.103:8000/v1'],
    ['box.tail1234.ts.net:8000', 'http://box.tail1234.ts.net:8000/v1'],
    ['HTTPS://API.Example.com/V1', 'https://api.example.com/V1'],
  ])('%s is %s', ([written, address]) => {
    expect(parseAddress(written ?? '').address).toBe(address);
  });

  test.for(['', 'a b', 'ftp://box/v1', 'file:///etc/passwd', 'http://', 'javascript://x/%0a'])(
    'is not %j',
    (written) => {
      expect(() => parseAddress(written)).toThrow('This is not the address of a server.');
    },
  );

  test.for(['http://user:hunter2@box/v1', 'https://hunter2@api.example.com', 'user:hunter2@box:8000'])(
    'has no password in it (%#), and an error does not show it',
    (written) => {
      expect(() => parseAddress(written)).toThrow(/^(?!.*hunter2).*password/);
    },
  );

  test('has no key behind its path, and an error does not show it', () => {
    expect(() => parseAddress('https://api.example.com/v1?key=hunter2')).toThrow(/^(?!.*hunter2).*goes on/);
  });

  test.for([
    ['127.0.0.1', 'this-computer'],
    ['127.8.9.1', 'this-computer'],
    ['localhost', 'this-computer'],
    ['puna.localhost.', 'this-computer'],
    ['[::1]', 'this-computer'],
    ['[::ffff:127.0.0.1]', 'this-computer'],
    ['10.1.2.3', 'local-network'],
    ['172.16.0.1', 'local-network'],
    ['172.32.0.1', 'elsewhere'],
    ['192.168.0.7', 'local-network'],
    ['192.169.0.7', 'elsewhere'],
    ['169.254.1.1', 'local-network'],
    ['[fe80::1]', 'local-network'],
    ['[fd12::1]', 'local-network'],
    ['[2001:db8::1]', 'elsewhere'],
    ['0.0.0.0', 'this-computer'],
    ['[::]', 'this-computer'],
    ['[::2]', 'elsewhere'],
    ['[::ffff:10.0.0.1]', 'local-network'],
    ['[::ffff:8.8.8.8]', 'elsewhere'],
    // However it is written.
    ['0x7f000001', 'this-computer'],
    ['[0:0:0:0:0:0:0:1]', 'this-computer'],
    ['LOCALHOST', 'this-computer'],
    // Tailscale's addresses and names, which are those of a provider's customers, too.
    ['100.63.255.255', 'elsewhere'],
    ['100.64.0.0', 'local-network'],
    ['100.101.102.103', 'local-network'],
    ['100.127.255.255', 'local-network'],
    ['100.128.0.0', 'elsewhere'],
    ['[fd7a:115c:a1e0::1]', 'local-network'],
    ['box.tail1234.ts.net', 'local-network'],
    ['ts.net.example.com', 'elsewhere'],
    ['notts.net', 'elsewhere'],
    ['169.253.255.255', 'elsewhere'],
    ['169.255.0.0', 'elsewhere'],
    ['[febf::1]', 'local-network'],
    ['[fec0::1]', 'elsewhere'],
    ['[fe7f::1]', 'elsewhere'],
    ['[fbff::1]', 'elsewhere'],
    ['Box.Local.', 'local-network'],
    ['box.lan', 'local-network'],
    ['db.internal', 'local-network'],
    ['mylocal', 'local-network'],
    ['box.notlocal', 'elsewhere'],
    ['local.example.com', 'elsewhere'],
    ['box', 'local-network'],
    ['box.local', 'local-network'],
    ['box.home.arpa', 'local-network'],
    ['localhost.example.com', 'elsewhere'],
    ['127.0.0.1.example.com', 'elsewhere'],
    ['api.example.com', 'elsewhere'],
  ] as const)('%s is %s', ([host, place]) => {
    expect(placeOf(host)).toBe(place);
  });

  test('is one of https where a key goes to the internet', () => {
    const near = parseAddress('http://192.168.0.7:8000');
    const far = parseAddress('http://api.example.com');
    expect(() => refuseOpenKey(near, true)).not.toThrow();
    expect(() => refuseOpenKey(far, false)).not.toThrow();
    expect(() => refuseOpenKey(far, true)).toThrow('The key would go to api.example.com unencrypted');
    expect(() => refuseOpenKey(parseAddress('https://api.example.com'), true)).not.toThrow();
  });
});
