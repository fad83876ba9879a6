/** The Hugging Face hub: finding models, and what is in their repositories. */
export { endpointOf, environmentToken, isOpenWay, tokenName } from './endpoint.ts';
export { folderFiles } from './folder-files.ts';
export { ggufModels, type GgufModel, type GgufRepository } from './gguf-files.ts';
export { type FoundModel, Hub, type Repository, type RepositoryFile, searchOrders } from './hub.ts';
export { fitsMemory, recommend } from './recommend.ts';
export { recommendedModels, type RecommendedModel } from './recommended.ts';
export { chosenModel, parseReference } from './reference.ts';
