import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PunaError } from '../../shared/error.ts';

/** Listens on 127.0.0.1; 0 takes any free port. Gives the port. Errors: `port-in-use`, whose remedy is told. */
export function listenOnLoopback(server: Server, port: number, remedy: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      const sentence = `Port ${port} is taken by another program.`;
      reject(inUse ? new PunaError('port-in-use', sentence, remedy, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
