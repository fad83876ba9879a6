import { type Adapter, type AdapterModule, rankOf } from './adapter.ts';
import { type PeftConfig, peftScale } from './peft-config.ts';
import { mostCommon, nearly } from './scales.ts';

/**
 * The configuration that says of an adapter what its modules are. One that it had before is kept where it still says so.
 */
export function configFor({ modules, baseName, config }: Adapter): PeftConfig {
  const named = [...modules].map(([weight, module]) => [weight.slice(0, -'.weight'.length), module] as const);
  if (config && named.every(([name, module]) => saysIt(config, name, module))) return config;
  const rank = mostCommon(named.map(([, module]) => rankOf(module)));
  const alpha = mostCommon(named.map(([, module]) => module.scale * rankOf(module)));
  return {
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseName,
    ...{ bias: 'none', fan_in_fan_out: false, inference_mode: true, init_lora_weights: true },
    ...{ lora_dropout: 0, modules_to_save: null, use_dora: false },
    ...config,
    ...{ peft_type: 'LORA', r: rank, lora_alpha: alpha, use_rslora: false },
    target_modules: targetsOf(named.map(([name]) => name)),
    rank_pattern: patternOf(named, rankOf, rank),
    alpha_pattern: patternOf(named, (module) => module.scale * rankOf(module), alpha),
  };
}

function saysIt(config: PeftConfig, name: string, module: AdapterModule): boolean {
  return nearly(peftScale(config, name, rankOf(module)), module.scale);
}

/** The last parts of the names, where every layer has all of them; else the whole names, so that no other module is meant. */
function targetsOf(names: readonly string[]): string[] {
  const lastPart = (name: string) => name.slice(name.lastIndexOf('.') + 1);
  const layers = new Set(names.map(layerOf).filter((layer) => layer !== undefined));
  const isEvenly = [...Map.groupBy(names, lastPart).values()].every((group) => {
    const inLayers = group.filter((name) => layerOf(name) !== undefined);
    return inLayers.length === 0 || inLayers.length === layers.size;
  });
  const isWhole = layers.size === 0 || Math.max(...layers) === layers.size - 1;
  return isEvenly && isWhole ? [...new Set(names.map(lastPart))] : [...names];
}

function layerOf(name: string): number | undefined {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? undefined : Number(layer);
}

/** What differs from the usual value, by whole names, which PEFT reads as regular expressions. */
function patternOf(
  named: readonly (readonly [string, AdapterModule])[],
  valueOf: (module: AdapterModule) => number,
  usual: number,
): Record<string, number> {
  const others = named.filter(([, module]) => !nearly(valueOf(module), usual));
  return Object.fromEntries(others.map(([name, module]) => [name, valueOf(module)]));
}
