import { PunaError } from '../../shared/error.ts';
import type { DeviceChoice } from '../../shared/contract/training.ts';
import type { Pointer } from './declarations.ts';
import { type Library, type LibraryKind, openLibrary } from './library.ts';

/** Something that computes: the CPU or one GPU. */
export interface Device {
  pointer: Pointer<'device'>;
  /** As ggml calls it, such as `CPU` or `CUDA0`. */
  name: string;
  /** As its maker calls it, such as `NVIDIA H100`. */
  description: string;
  isCpu: boolean;
  /** What this processor can do and this build of ggml makes use of, such as `AVX512_BF16`. */
  features: ReadonlySet<string>;
  /** Memory in which it keeps matrices in an order of its own, and multiplies them faster. */
  packings: readonly Pointer<'buffer_type'>[];
  /** In bytes. */
  freeMemory: number;
  totalMemory: number;
}

/** enum ggml_backend_dev_type. */
const deviceTypes = { cpu: 0, gpu: 1, integratedGpu: 2 };

/** All devices of a library. */
function listDevices(library: Library): Device[] {
  const { functions } = library;
  return Array.from({ length: functions.ggml_backend_dev_count() }, (_, index) => {
    const pointer = functions.ggml_backend_dev_get(index);
    const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
    functions.ggml_backend_dev_memory(pointer, free, total);
    return {
      pointer,
      name: functions.ggml_backend_dev_name(pointer),
      description: functions.ggml_backend_dev_description(pointer),
      isCpu: functions.ggml_backend_dev_type(pointer) === deviceTypes.cpu,
      features: featuresOf(library, pointer),
      packings: packingsOf(library, pointer),
      freeMemory: Number(free[0]),
      totalMemory: Number(total[0]),
    };
  });
}

function featuresOf({ functions, callForFeatures }: Library, device: Pointer<'device'>): ReadonlySet<string> {
  const registry = functions.ggml_backend_dev_backend_reg(device);
  const list = functions.ggml_backend_reg_get_proc_address(registry, 'ggml_backend_get_features');
  return list ? callForFeatures(list, registry) : new Set();
}

function packingsOf({ functions, callForBufferTypes }: Library, device: Pointer<'device'>) {
  const registry = functions.ggml_backend_dev_backend_reg(device);
  const list = functions.ggml_backend_reg_get_proc_address(registry, 'ggml_backend_dev_get_extra_bufts');
  return list ? callForBufferTypes(list, device) : [];
}

/**
 * The device to train on, of the library that is loaded. Errors: `invalid-input` where the device
 * that was asked for is not there.
 */
export function chooseDevice(choice: DeviceChoice, kind: LibraryKind): { library: Library; device: Device } {
  const library = openLibrary(kind);
  const devices = listDevices(library);
  const wantsGpu = choice === 'auto' ? kind !== 'cpu' : choice !== 'cpu';
  const gpu = devices.find(({ isCpu }) => !isCpu);
  const cpu = devices.find(({ isCpu }) => isCpu);
  if (wantsGpu && gpu) return { library, device: gpu };
  if (wantsGpu && choice !== 'auto') {
    throw new PunaError(
      'invalid-input',
      `There is no ${choice} device on this machine.`,
      'Leave out --device, or say --device cpu.',
    );
  }
  if (!cpu) throw new PunaError('internal', 'ggml found no device, not even the CPU.');
  return { library, device: cpu };
}
