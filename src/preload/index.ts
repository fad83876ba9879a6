import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { connectChannel, type Desktop } from '../shared/desktop.ts';

// How the page gets its port: it makes a MessageChannel, keeps one end and posts the other to its own window,
//   window.postMessage('puna:connect', location.origin, [serverPort]);
// this script passes that end on, and main answers the contract on it. A page may do so again after its port closed.
window.addEventListener('message', (event) => {
  const [port] = event.ports;
  if (event.source !== window || event.data !== connectChannel || !port) return;
  ipcRenderer.postMessage(connectChannel, null, [port]);
});

const desktop: Desktop = {
  shell: 'electron',
  // Only Electron knows the path of a dropped file; a browser never tells. With it, models are used where they lie
  // instead of being copied through the contract.
  pathForFile: (file) => webUtils.getPathForFile(file),
};
contextBridge.exposeInMainWorld('puna', desktop);
