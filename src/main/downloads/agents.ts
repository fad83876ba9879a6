import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * The ways out to the network. Node's agents know proxies themselves (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case) when they
 * are handed the environment. Node's `fetch` would need the variable NODE_USE_ENV_PROXY before it starts, or a setting for
 * the whole process, and takes twice the processor's time for the same bytes.
 */
const options = { keepAlive: true, proxyEnv: process.env };

let http: HttpAgent | undefined;
let https: HttpsAgent | undefined;
let directHttp: HttpAgent | undefined;
let directHttps: HttpsAgent | undefined;
let certificates: SecureContext | undefined;

/** The agent for an address, made when the first one is asked for. */
export function agentFor({ protocol }: URL): HttpAgent | HttpsAgent {
  if (protocol === 'http:') return (http ??= new HttpAgent(options));
  return (https ??= new HttpsAgent({ ...options, secureContext: trusted() }));
}

/** The same for an address on this computer: no proxy leads there, and one would only read along. */
export function directAgentFor({ protocol }: URL): HttpAgent | HttpsAgent {
  if (protocol === 'http:') return (directHttp ??= new HttpAgent());
  return (directHttps ??= new HttpsAgent({ secureContext: trusted() }));
}

/**
 * Certificates that a server may show: those that come with Node, those of NODE_EXTRA_CA_CERTS, and those that this system trusts,
 * where companies and schools put the ones of their proxies. Made once: there are hundreds of them.
 */
function trusted(): SecureContext {
  return (certificates ??= createSecureContext({
    ca: [...new Set([...getCACertificates('default'), ...systemCertificates()])],
  }));
}

function systemCertificates(): string[] {
  try {
    return getCACertificates('system');
  } catch {
    // A store that cannot be read takes nothing from the others.
    return [];
  }
}
