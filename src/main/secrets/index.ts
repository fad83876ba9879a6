/** Tokens and keys. */
export { FileSecrets, secretsFile } from './file-secrets.ts';
export { hubToken, type Seal, type Secrets } from './secrets.ts';
