import type { Computing, LoadSettings } from '../../shared/contract/index.ts';

/** How a model is loaded: as its own settings say, and where they leave it open, as those of the program do. */
export function usedLoadSettings(own: LoadSettings, { gpuLayers, threads }: Computing): LoadSettings {
  return {
    contextSize: own.contextSize,
    gpuLayers: own.gpuLayers ?? gpuLayers,
    threads: own.threads ?? threads,
  };
}
