/**
 * Where a file really lies that a packaged Puna knows by a path within its archive (`app.asar`): Electron shows both as one, but libraries
 * are loaded by the system, which knows only what electron-builder has put beside the archive. Other paths stay as they are.
 */
export function outsideArchive(path: string): string {
  return path.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
}
