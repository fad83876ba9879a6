/**
 * What the preload script gives the page as `window.puna`, in the Electron shell alone. Everything else goes through the
 * contract.
 */
export interface Desktop {
  shell: 'electron';
  /** Where a dropped or picked file lies; empty for one that was made in the page. */
  pathForFile(file: File): string;
}

/** Names the port in the handshake that `src/preload/index.ts` describes. */
export const connectChannel = 'puna:connect';
