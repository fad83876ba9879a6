/** The model that comes with Puna, and what there is to try with it. */
export { resourcesFolder } from './place.ts';
export { readSampleFiles, type SampleFiles, starterFile } from './sample-files.ts';
export { Starter } from './starter.ts';
