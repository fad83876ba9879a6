/** Keeps what nobody else should read: tokens and keys, each under a name. */
export interface Secrets {
  /** Null where there is none. */
  get(name: string): Promise<string | null>;
  set(name: string, secret: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/**
 * What makes a secret unreadable for others and readable again, such as Electron's safeStorage, whose key lies in the system's
 * keychain. It may fail, where the keychain is locked.
 */
export interface Seal {
  /** Kept beside each secret, so that one that was sealed is never taken for a plain one. */
  name: string;
  seal(secret: string): Promise<Uint8Array> | Uint8Array;
  open(sealed: Uint8Array): Promise<string> | string;
}

/** For shells without a keychain: only the file's mode protects what is in it. */
export const unsealed: Seal = {
  name: 'plain',
  seal: (secret) => Buffer.from(secret, 'utf8'),
  open: (sealed) => Buffer.from(sealed).toString('utf8'),
};
