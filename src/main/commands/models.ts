import type { Command } from 'commander';
import { addModelsFit } from './models-fit.ts';
import { addModelsLibrary } from './models-library.ts';
import { addModelsPull } from './models-pull.ts';
import { addModelsSearch } from './models-search.ts';
import { addModelsToken } from './models-token.ts';

export function addModels(program: Command): void {
  const models = program.command('models').description('find models on the hub, get them, and keep them');
  addModelsSearch(models);
  addModelsPull(models);
  addModelsLibrary(models);
  addModelsFit(models);
  addModelsToken(models);
}
