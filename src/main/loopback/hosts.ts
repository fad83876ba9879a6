/** The hosts that a request to this machine itself names. One by DNS rebinding arrives under a foreign name. */
export function loopbackHosts(port: number): string[] {
  // Browsers leave out the port that http has anyway.
  const ending = port === 80 ? '' : `:${port}`;
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}${ending}`);
}
