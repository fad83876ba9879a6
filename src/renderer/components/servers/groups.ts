import type { Model, ModelServer } from '../../../shared/contract/index.ts';

/** Models of servers under their servers, both in the order in which they come. */
export function byServer(models: readonly Model[]): { server: ModelServer; models: Model[] }[] {
  const groups = new Map<number, { server: ModelServer; models: Model[] }>();
  for (const model of models) {
    if (!model.server) continue;
    const group = groups.get(model.server.id) ?? { server: model.server, models: [] };
    groups.set(model.server.id, { ...group, models: [...group.models, model] });
  }
  return [...groups.values()];
}
