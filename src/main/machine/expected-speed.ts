import type { MeasuredType, ModelNeeds, Speeds, TypeSpeed } from '../machine-engine/messages.ts';
import { type GgmlTypeName, ggmlTypes } from '../weights/formats/gguf.ts';

/** Of the time that a token takes, the share in which weights come through; attention, norms and sampling take the rest. Measured by bench/fit.ts. */
const weightsShare = 0.65;

export interface ExpectedSpeed {
  /** Tokens a second. */
  writing: number;
  reading: number;
}

/** How fast a model will write and read at the beginning of a conversation. */
export function expectedSpeed(
  { read, layers, gpuLayers }: Pick<ModelNeeds, 'read' | 'layers' | 'gpuLayers'>,
  speeds: { cpu: Speeds; gpu: Speeds | null },
): ExpectedSpeed {
  const onGpu = speeds.gpu === null ? 0 : Math.min(1, gpuLayers / Math.max(1, layers));
  const secondsOf = (one: (type: GgmlTypeName, bytes: number, speed: TypeSpeed) => number) =>
    read.reduce((sum, { type, bytes }) => {
      const nearest = nearestType(type);
      const cpu = one(type, bytes, speeds.cpu[nearest]) * (1 - onGpu);
      return sum + cpu + (speeds.gpu ? one(type, bytes, speeds.gpu[nearest]) * onGpu : 0);
    }, 0);
  const writing = secondsOf((_type, bytes, { streamed }) => bytes / streamed);
  const reading = secondsOf((type, bytes, { products }) => weightsIn(type, bytes) / products);
  return { writing: weightsShare / writing, reading: weightsShare / reading };
}

function weightsIn(type: GgmlTypeName, bytes: number): number {
  const { blockSize, blockBytes } = ggmlTypes[type];
  return (bytes / blockBytes) * blockSize;
}

/** The measured type that is as long, or the next longer one. */
function nearestType(type: GgmlTypeName): MeasuredType {
  const bits = bitsOf(type);
  const byLength: MeasuredType[] = ['Q4_K', 'Q6_K', 'Q8_0'];
  return byLength.find((each) => bits <= bitsOf(each)) ?? 'F16';
}

function bitsOf(type: GgmlTypeName): number {
  const { blockSize, blockBytes } = ggmlTypes[type];
  return (8 * blockBytes) / blockSize;
}
