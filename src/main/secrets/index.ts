/** Tokens and keys. */
export { FileSecrets, secretsFile } from './file-secrets.ts';
export { type Seal, type Secrets } from './secrets.ts';
