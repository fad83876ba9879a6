import { type ErrorCode, PunaError } from '../../shared/error.ts';

/** Why a server did not give what it was asked for. */
export type NetworkReason =
  /** No connection, or one that broke or stood still too often. */
  | 'unreachable'
  | 'certificate'
  | 'not-found'
  /** It wants a token, another one, or that its conditions are accepted. */
  | 'no-access'
  | 'rate-limited'
  /** The server has trouble of its own. */
  | 'server-failed'
  /** Something else than was asked for: a web page, another length, another hash. */
  | 'wrong-answer';

const codes: Record<NetworkReason, ErrorCode> = {
  unreachable: 'network',
  certificate: 'network',
  'not-found': 'not-found',
  'no-access': 'no-access',
  'rate-limited': 'network',
  'server-failed': 'network',
  'wrong-answer': 'network',
};

interface NetworkErrorOptions {
  cause?: unknown;
  /** Whether the same may go well a moment later. */
  again?: boolean;
  /** When the server wants to be asked again, in ms. */
  retryAfterMs?: number | undefined;
}

/** A failure of a server or of the way to it, which another server may not have. */
export class NetworkError extends PunaError {
  readonly reason: NetworkReason;
  readonly again: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: NetworkReason,
    message: string,
    remedy: string,
    { cause, again = false, retryAfterMs }: NetworkErrorOptions = {},
  ) {
    super(codes[reason], message, remedy, { cause });
    this.reason = reason;
    this.again = again;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What the system, TLS or the HTTP parser says of a connection to a host; what is none of theirs comes back as it is. */
export function networkError(thrown: unknown, host: string): unknown {
  if (thrown instanceof PunaError || !(thrown instanceof Error)) return thrown;
  const code = codeOf(thrown);
  if (code === undefined) return thrown;
  const cause = { cause: thrown };
  if (isCertificate(code)) {
    return new NetworkError(
      'certificate',
      `The certificate of ${host} is not trusted: ${certificateFault(code)}.`,
      'If a proxy of your company or school stands between, name its certificate in NODE_EXTRA_CA_CERTS; also check the clock.',
      cause,
    );
  }
  if (code.startsWith('ERR_PROXY')) {
    return new NetworkError(
      'unreachable',
      `The proxy does not let through to ${host}.`,
      'Check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY.',
      { ...cause, again: true },
    );
  }
  if (code.startsWith('HPE_') || code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return new NetworkError(
      'wrong-answer',
      `${host} does not speak HTTP as it should.`,
      'Check the address, and whether it is http or https.',
      { ...cause, again: true },
    );
  }
  const fault = connectionFaults[code];
  if (fault === undefined) return thrown;
  return new NetworkError('unreachable', `${fault} ${host}.`, 'Check the connection to the network.', {
    ...cause,
    again: true,
  });
}

/** Failures of connections, as sentences that end in the name of the host. */
const connectionFaults: Record<string, string> = {
  ENOTFOUND: 'This machine is offline, or there is no host',
  EAI_AGAIN: 'This machine is offline, or nobody knows the host',
  ENETUNREACH: 'This machine is offline: there is no way to',
  ENETDOWN: 'This machine is offline: there is no way to',
  EHOSTUNREACH: 'There is no way to',
  ECONNREFUSED: 'No server answers at',
  ETIMEDOUT: 'There is no answer from',
  ECONNRESET: 'The connection broke to',
  EPIPE: 'The connection broke to',
  ECONNABORTED: 'The connection broke to',
};

/** Several addresses of one host may each have failed; the first one speaks for all. */
function codeOf(thrown: Error): string | undefined {
  if (thrown instanceof AggregateError) {
    const [first] = thrown.errors as unknown[];
    if (first instanceof Error) return codeOf(first);
  }
  const { code } = thrown as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
}

function isCertificate(code: string): boolean {
  return /CERT|^UNABLE_TO_|^ERR_TLS_CERT/.test(code);
}

function certificateFault(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'it is not valid yet';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'it is that of another host';
  return 'nobody that this machine trusts has signed it';
}
