/** The most memory that this process has had so far, in bytes. libuv tells kilobytes on all systems. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
