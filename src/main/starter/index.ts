/** The model that comes with Puna, and what there is to try with it. */
export { resourcesFolder, resourcesPlace } from './place.ts';
export { readSampleFiles, type SampleFiles, starterFile } from './sample-files.ts';
export { resourcesFault, Starter } from './starter.ts';
