import type { utilityProcess, UtilityProcess } from 'electron';
import type { ForkReport, ForkRequest } from '../engine/index.ts';

/**
 * Starts the processes that an engine asks for (see engine/lent-fork.ts) and carries their messages. They end with the engine. Says of a
 * message of the engine's whether it was such a request.
 */
export function lendFork(
  engine: Pick<UtilityProcess, 'on' | 'postMessage'>,
  fork: typeof utilityProcess.fork,
): (message: unknown) => boolean {
  const children = new Map<number, UtilityProcess>();
  const report = (told: ForkReport) => engine.postMessage(told);
  engine.on('exit', () => {
    for (const child of children.values()) child.kill();
  });

  return (message) => {
    const request = message as ForkRequest;
    switch (request.type) {
      case 'fork': {
        const { id, file, env } = request;
        const child = fork(file, [], { serviceName: 'Puna test of a library', stdio: 'ignore', env });
        children.set(id, child);
        child.on('message', (told: unknown) => report({ type: 'fork-message', id, message: told }));
        child.on('exit', (code) => {
          children.delete(id);
          report({ type: 'fork-exit', id, code });
        });
        return true;
      }
      case 'fork-send':
        children.get(request.id)?.postMessage(request.message);
        return true;
      case 'fork-kill':
        children.get(request.id)?.kill();
        return true;
      default:
        return false;
    }
  };
}
