import { anotherLength, sentBy, type Sent, totalOfRefusal, validatorOf, wrong } from './answer.ts';
import type { BandwidthLimit } from './bandwidth.ts';
import type { BegunFile } from './begun.ts';
import { type Claim, Claims } from './claims.ts';
import { checkSpace } from './disk-space.ts';
import { NetworkError, networkError } from './network-error.ts';
import { PieceWriter } from './piece-writer.ts';
import { type Answer, request } from './request.ts';
import { pauseAfter, type RetryOptions } from './retry.ts';
import { type Patience, StallWatch } from './stall.ts';

export interface TransferOptions {
  url: string;
  privateHeaders: Readonly<Record<string, string>>;
  /** Of the file, as errors call it. */
  name: string;
  /** Where it will lie, for the check of the space there. */
  folder: string;
  /** Size of the whole file, where it is known beforehand. */
  bytes: number | null;
  /** Whether a digest will tell in the end that bytes of several servers fit together. */
  isVerified: boolean;
  connections: number;
  limiter: BandwidthLimit | null;
  retries: RetryOptions;
  patience: Patience;
  signal: AbortSignal;
  /** Called after each piece. */
  onArrival: () => void;
}

/** The server has another version of the file than the one that was begun: what is there is of no use. */
export class Changed extends Error {}

/** Pieces that connections fetch: large enough that asking for them costs nothing, small enough that all end together. */
const pieces = { least: 4 * 1024 * 1024, most: 64 * 1024 * 1024, forConnection: 4 };
/** Until the first answer tells the size of the file. */
const firstPieceBytes = 16 * 1024 * 1024;
/** A connection that brought so much before it broke counts as one that works. */
const worthwhileBytes = 64 * 1024;

/** Fetches what is missing of a file from one server, over several connections where it can send from the middle. */
export class Transfer {
  readonly #file: BegunFile;
  readonly #options: TransferOptions;
  readonly #claims: Claims;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Where redirects have led: the next pieces are asked for there. */
  #resolved: URL | null = null;
  /** Null until the first answer. */
  #ranged: boolean | null = null;

  constructor(file: BegunFile, options: TransferOptions) {
    this.#file = file;
    this.#options = options;
    const total = options.bytes ?? file.total;
    this.#claims = new Claims(
      file.ranges.missing(total ?? Infinity),
      total === null ? firstPieceBytes : this.#pieceBytes(total),
    );
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  /**
   * Returns when all is there. Errors: `Changed`, `NetworkError`, `disk-full`, those of the system, an abort. What has arrived until
   * then is in the file.
   */
  async run(): Promise<void> {
    const first = this.#claims.take();
    if (!first) {
      this.#file.total ??= this.#options.bytes;
      return;
    }
    await this.#fetch(first);
    const connections = this.#ranged ? this.#options.connections : 1;
    const work = Array.from({ length: connections }, () => this.#fetchAll());
    try {
      await Promise.all(work);
    } catch (thrown) {
      this.#stop.abort();
      await Promise.allSettled(work);
      throw thrown;
    }
  }

  async #fetchAll(): Promise<void> {
    for (let claim = this.#claims.take(); claim; claim = this.#claims.take()) await this.#fetch(claim);
  }

  /** Fetches one piece, however often its connection breaks, as long as that is worthwhile. */
  async #fetch(claim: Claim): Promise<void> {
    const { retries } = this.#options;
    let failures = 0;
    while (claim.position < claim.end) {
      const before = claim.position;
      try {
        await this.#ask(claim);
        failures = 0;
      } catch (thrown) {
        this.#signal.throwIfAborted();
        // Where a redirect led a while ago may no longer be open; the address itself is asked once more.
        const wasResolved = this.#resolved !== null;
        this.#resolved = null;
        if (claim.position - before >= worthwhileBytes && this.#ranged) failures = 0;
        const isStale = wasResolved && thrown instanceof NetworkError && !thrown.again && failures === 0;
        const mayPass = isStale && ['no-access', 'not-found'].includes(thrown.reason);
        failures++;
        if (!mayPass) await pauseAfter(thrown, failures, retries, this.#signal);
        if (this.#ranged === false) await this.#beginAgain(claim);
      }
    }
  }

  /** Without ranges there is no middle to go on in. */
  async #beginAgain(claim: Claim): Promise<void> {
    await this.#file.reset();
    claim.position = 0;
    claim.end = this.#options.bytes ?? Infinity;
  }

  async #ask(claim: Claim): Promise<void> {
    const { privateHeaders, url, name } = this.#options;
    const target = this.#resolved ?? new URL(url);
    const isOwn = target.origin === new URL(url).origin;
    const { validator } = this.#file;
    const last = claim.end === Infinity ? '' : claim.end - 1;
    const answer = await request(target, {
      headers: {
        range: `bytes=${claim.position}-${last}`,
        ...(this.#resolved && validator?.origin === target.origin && { 'if-range': validator.value }),
      },
      ...(isOwn && { privateHeaders }),
      signal: this.#signal,
      answerWithinMs: this.#options.patience.ms,
    });
    try {
      const total = totalOfRefusal(answer);
      if (total === null) {
        const sent = sentBy(answer, name);
        await this.#accept(answer, sent, claim);
        await this.#receive(answer, sent, claim);
      } else {
        await this.#accept(
          answer,
          { start: claim.position, end: claim.position, total, ranged: true },
          claim,
        );
        if (total > claim.position) throw wrong(`${answer.url.host} refuses a part of ${name} that it has.`);
        answer.body.resume();
      }
    } catch (thrown) {
      answer.body.on('error', () => undefined).destroy();
      throw networkError(thrown, answer.url.host);
    }
  }

  /** Compares what a server says with what is known, before a byte of it is taken. */
  async #accept(answer: Answer, sent: Sent, claim: Claim): Promise<void> {
    const { bytes, name, folder, isVerified } = this.#options;
    const file = this.#file;
    const { host, origin } = answer.url;
    const validator = validatorOf(answer);
    const isFirst = this.#ranged === null;
    if (file.ranges.bytes > 0) {
      const sameOrigin = file.validator?.origin === origin;
      if (sameOrigin && validator?.value !== file.validator?.value) throw new Changed();
      // Nobody knows then whether it is still the same file.
      if (isFirst && !isVerified && (!sameOrigin || !validator)) throw new Changed();
      if (!sent.ranged && !(claim.position === 0 && this.#ranged === false)) throw new Changed();
      if (sent.total !== null && file.total !== null && sent.total !== file.total) throw new Changed();
    }
    if (sent.total !== null && bytes !== null && sent.total !== bytes) {
      throw anotherLength(host, name, sent.total, bytes);
    }
    if (sent.start !== claim.position) {
      throw wrong(`${host} sends another part of ${name} than it was asked for.`);
    }
    if (sent.ranged && sent.total === null && bytes === null) {
      throw wrong(`${host} does not say how long ${name} is.`);
    }
    this.#resolved = answer.url;
    this.#ranged = sent.ranged;
    file.validator = validator;
    file.total = sent.total ?? bytes;
    if (!sent.ranged) claim.end = file.total ?? Infinity;
    if (!isFirst) return;
    const { total } = file;
    // One stream brings all that there is.
    this.#claims.endAt(sent.ranged ? (total ?? Infinity) : 0, this.#pieceBytes(total ?? 0));
    if (total === null) return;
    if (sent.ranged) claim.end = Math.min(claim.end, total);
    await checkSpace(folder, total - file.ranges.bytes, name);
  }

  async #receive({ body, url: { host } }: Answer, sent: Sent, claim: Claim): Promise<void> {
    const { name, limiter, patience, onArrival } = this.#options;
    const end = Math.min(claim.end, sent.end ?? Infinity);
    using watch = new StallWatch(patience, () => body.destroy(stoodStill(host, name, patience)));
    const writer = new PieceWriter(this.#file, claim.position, (bytes) => {
      claim.position += bytes;
      onArrival();
    });
    let arrived = claim.position;
    try {
      watch.waiting = true;
      for await (const piece of body as AsyncIterable<Buffer>) {
        watch.waiting = false;
        watch.arrived(piece.byteLength);
        arrived += piece.byteLength;
        if (arrived > end) throw wrong(`${host} sends more of ${name} than it said.`);
        if (limiter) await limiter.take(piece.byteLength, this.#signal);
        const full = writer.add(piece);
        if (full) await full;
        watch.waiting = true;
      }
    } finally {
      await writer.finish();
    }
    if (end === Infinity) {
      // Only the end of the answer tells where the file ends.
      this.#file.total = claim.position;
      claim.end = claim.position;
    } else if (claim.position < end) {
      throw brokeOff(host, name);
    }
  }

  #pieceBytes(total: number): number {
    const even = Math.ceil(total / (this.#options.connections * pieces.forConnection));
    return Math.min(pieces.most, Math.max(pieces.least, even));
  }
}

function brokeOff(host: string, name: string): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} broke off before ${name} was whole.`,
    'Try again: what has arrived is kept where the server can go on in the middle.',
    { again: true },
  );
}

function stoodStill(host: string, name: string, { ms }: Patience): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} has sent next to nothing of ${name} for ${Math.ceil(ms / 1000)} seconds.`,
    'Try again later: what has arrived is kept.',
    { again: true },
  );
}
