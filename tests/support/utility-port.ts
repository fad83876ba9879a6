import { EventEmitter } from 'node:events';

// Loaded into a Node process that stands for a utility process of Electron: gives it the same port, and takes Node's own channel away, so
// that nothing is told by that.
const send = process.send?.bind(process);
const parentPort = Object.assign(new EventEmitter(), { postMessage: (message: unknown) => send?.(message) });
process.on('message', (data) => parentPort.emit('message', { data }));
Object.assign(process, { parentPort, send: undefined });
