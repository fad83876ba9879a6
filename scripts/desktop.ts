import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What decides whether a window of Electron can open. */
export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  /** Undefined on Windows. */
  userId: number | undefined;
}

/** Why there can be no window on this machine, whichever Electron it has; null where there can. */
export function noDesktop({ platform, env, userId }: Machine): string | null {
  if (platform !== 'linux') return null;
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return 'this machine has no screen';
  if (userId === 0) return "Electron's sandbox does not work for root";
  return null;
}

/**
 * Why Electron's sandbox cannot work on this Linux, with what to do about it; null where it can. It takes either a kernel
 * that lets everyone make user namespaces, which some distributions forbid, or a helper program that belongs to root.
 */
export function noSandbox(
  program: string,
  { platform }: Pick<Machine, 'platform'>,
  kernel: (setting: string) => string | null = kernelSetting,
): string | null {
  if (platform !== 'linux') return null;
  const forbidden =
    kernel('kernel/unprivileged_userns_clone') === '0' ||
    kernel('kernel/apparmor_restrict_unprivileged_userns') === '1' ||
    kernel('user/max_user_namespaces') === '0';
  const helper = join(dirname(program), 'chrome-sandbox');
  if (!forbidden || belongsToRoot(helper)) return null;
  return `this Linux lets Electron's sandbox work only after: sudo chown root ${helper} && sudo chmod 4755 ${helper}`;
}

function belongsToRoot(helper: string): boolean {
  if (!existsSync(helper)) return false;
  const { uid, mode } = statSync(helper);
  const setUserId = 0o4000;
  return uid === 0 && (mode & setUserId) !== 0;
}

function kernelSetting(setting: string): string | null {
  try {
    return readFileSync(join('/proc/sys', setting), 'utf8').trim();
  } catch {
    // This kernel has no such setting.
    return null;
  }
}
