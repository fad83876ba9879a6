/** Files from servers: whole, verified, and gone on with after whatever broke them off. */
export { BandwidthLimit } from './bandwidth.ts';
export { discardDownload } from './begun.ts';
export { download, type Downloaded, type DownloadOptions, usualConnections } from './download.ts';
export { downloadFolder, downloadSet, type SetFile } from './download-set.ts';
export { placeBelow, placeIn } from './file-name.ts';
export { NetworkError, networkError, type NetworkReason } from './network-error.ts';
export { request } from './request.ts';
export { pauseAfter, promptRetries, retryAfterMs, type RetryOptions, usualRetries } from './retry.ts';
export type { Digest } from './verifier.ts';
