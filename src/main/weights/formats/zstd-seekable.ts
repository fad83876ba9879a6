/**
 * Zstandard's seekable format: frames of their own, one after the other, and a table of their sizes in a frame that other
 * programs skip, so that `zstd -d` unpacks it, too. All numbers are little endian.
 * https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
 */

/** Of a frame. */
export const zstdMagic = 0xfd2f_b528;
/** Of the frame that holds the seek table. */
export const skippableMagic = 0x184d_2a5e;
/** At the very end. */
export const seekableMagic = 0x8f92_eab1;
/** Magic and length. */
export const skippableHeaderBytes = 8;
/** Number of frames, flags, magic. */
export const footerBytes = 9;
/** Packed and unpacked size of a frame, before its checksum if there is one. */
export const entryBytes = 8;
/** Each entry has a checksum; Puna relies on those in the frames instead. */
export const checksumFlag = 0x80;
export const reservedFlags = 0x7c;

/** Largest frame that is unpacked, in bytes: a claim of more would only fill the memory. */
export const maxFrameBytes = 8 * 1024 * 1024;
/** 8 TiB in frames of 4 MiB. */
export const maxFrames = 2 * 1024 * 1024;
