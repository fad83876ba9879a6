import { PunaError } from '../../../shared/error.ts';
import { damagedFile } from './damaged.ts';
import {
  Foreign,
  Ignored,
  PickleDict,
  PickleTuple,
  type PickleValue,
  type PickleWorld,
} from './pickle-value.ts';
import { quoted } from './printable.ts';
import { dtypeCalled, type PytorchType, storageCalled } from './pytorch-types.ts';
import { maxDimensions } from './safetensors-types.ts';

/** Numbers of one type in a file of their own beside the pickle. */
export class Storage extends Foreign {
  readonly key: string;
  /** Null for a storage of bytes, whose tensors bring their own type. */
  readonly type: PytorchType | null;
  /** Numbers, or bytes. */
  readonly length: number;

  constructor(key: string, type: PytorchType | null, length: number) {
    super();
    this.key = key;
    this.type = type;
    this.length = length;
  }
}

/** A tensor as a view of a storage. All but the bytes is counted in numbers of its type. */
export class TensorView extends Foreign {
  readonly storage: Storage;
  readonly type: PytorchType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor({ storage, type, offset, shape, strides }: Pick<TensorView, keyof TensorView>) {
    super();
    this.storage = storage;
    this.type = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** A class of storages. */
class StorageClass extends Foreign {
  readonly type: PytorchType | null;

  constructor(type: PytorchType | null) {
    super();
    this.type = type;
  }
}

class Dtype extends Foreign {
  readonly type: PytorchType;

  constructor(type: PytorchType) {
    super();
    this.type = type;
  }
}

type Call = (args: readonly PickleValue[]) => PickleValue;

class Callable extends Foreign {
  readonly call: Call;

  constructor(call: Call) {
    super();
    this.call = call;
  }
}

/**
 * All that the pickle of a PyTorch checkpoint may name. Nothing of it is PyTorch's or Python's code: calls only describe tensors.
 * Any other class or function is refused by its name. Errors: `unsupported-model` (those), `file-damaged`.
 */
export function pytorchWorld(fileName: string): PickleWorld {
  const damaged = (what: string) => damagedFile(fileName, what);
  const callables = pytorchCallables(fileName);
  return {
    global(module, name) {
      const path = `${module}.${name}`;
      const known = callables.get(path) ?? (module === 'torch' ? namedType(name) : undefined);
      if (!known) throw refused(fileName, path);
      return known;
    },
    call(callable, args) {
      if (callable instanceof Callable) return callable.call(args);
      throw damaged('its pickle calls something that cannot be called');
    },
    persistent(id) {
      const [kind, storageClass, key, , length] = id instanceof PickleTuple ? id.items : [];
      if (kind !== 'storage' || !(storageClass instanceof StorageClass) || typeof key !== 'string') {
        throw damaged('its pickle names a storage in an unknown way');
      }
      return new Storage(key, storageClass.type, size(length, damaged));
    },
  };
}

function namedType(name: string): Foreign | undefined {
  const dtype = dtypeCalled(name);
  if (dtype) return new Dtype(dtype);
  const storage = storageCalled(name);
  return storage === undefined ? undefined : new StorageClass(storage);
}

function pytorchCallables(fileName: string): ReadonlyMap<string, Foreign> {
  /** Python's _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata). */
  const tensor: Call = ([storage, offset, shape, strides, , , metadata]) =>
    view([storage, offset, shape, strides, metadata], undefined, fileName);
  /** _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata). */
  const tensorWithType: Call = ([storage, offset, shape, strides, , , dtype, metadata]) =>
    view([storage, offset, shape, strides, metadata], dtype, fileName);
  /** Of a parameter, which is a tensor with more that nobody needs here. */
  const first: Call = ([value]) => value ?? null;
  const ignore: Call = () => new Ignored();
  return new Map<string, Foreign>([
    ['collections.OrderedDict', new Callable(() => new PickleDict())],
    ['torch.Size', new Callable(first)],
    ['torch._utils._rebuild_tensor_v2', new Callable(tensor)],
    ['torch._utils._rebuild_tensor_v3', new Callable(tensorWithType)],
    ['torch._utils._rebuild_parameter', new Callable(first)],
    ['torch._utils._rebuild_parameter_with_state', new Callable(first)],
    // A tensor with attributes of its own: (rebuild, class, arguments, attributes).
    [
      'torch._tensor._rebuild_from_type_v2',
      new Callable(([rebuild, , args]) => {
        if (!(rebuild instanceof Callable) || !(args instanceof PickleTuple)) {
          throw damagedFile(fileName, 'its pickle builds a tensor in an unknown way');
        }
        return rebuild.call(args.items);
      }),
    ],
    ['torch.Tensor', new Ignored()],
    ['torch.nn.parameter.Parameter', new Ignored()],
    ['torch.storage.UntypedStorage', new StorageClass(null)],
    ['torch.UntypedStorage', new StorageClass(null)],
    // Values beside the tensors in checkpoints of training. PyTorch's weights_only allows these, too.
    ...[
      ...['torch.device', '_codecs.encode', 'builtins.set', '__builtin__.set'],
      ...['builtins.bytearray', '__builtin__.bytearray', 'builtins.complex', '__builtin__.complex'],
    ].map((name): [string, Foreign] => [name, new Callable(ignore)]),
  ]);
}

/** What to do about tensors that are not what they will be. */
export const saveClones =
  'Save it anew from PyTorch: torch.save({name: tensor.clone() for name, tensor in torch.load("in.bin", weights_only=True).items()}, "out.bin").';

type Damaged = (what: string) => PunaError;

function view(
  [storage, offset, shape, strides, metadata]: readonly (PickleValue | undefined)[],
  dtype: PickleValue | undefined,
  fileName: string,
): TensorView {
  const damaged = (what: string) => damagedFile(fileName, what);
  if (!(storage instanceof Storage)) throw damaged('its pickle has a tensor without a storage');
  if (metadata instanceof PickleDict && metadata.entries.length > 0) {
    throw new PunaError(
      'unsupported-model',
      `${fileName} has a tensor that PyTorch would still have to negate or conjugate.`,
      saveClones,
    );
  }
  const type = dtype instanceof Dtype ? dtype.type : storage.type;
  if (type === null) throw damaged('its pickle has a tensor without a type');
  const sizes = { shape: lengths(shape, damaged), strides: lengths(strides, damaged) };
  if (sizes.shape.length !== sizes.strides.length) {
    throw damaged('its pickle has a tensor with more dimensions than strides');
  }
  return new TensorView({ storage, type, offset: size(offset, damaged), ...sizes });
}

function lengths(value: PickleValue | undefined, damaged: Damaged): number[] {
  if (!(value instanceof PickleTuple) || value.items.length > maxDimensions) {
    throw damaged('its pickle has a tensor without a sound shape');
  }
  return value.items.map((item) => size(item, damaged));
}

function size(value: PickleValue | undefined, damaged: Damaged): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged('its pickle has a size that is not a whole number');
}

function refused(fileName: string, path: string): PunaError {
  if (/^torch\._utils\._rebuild_/.test(path)) {
    return new PunaError(
      'unsupported-model',
      `${fileName} has tensors of a kind that Puna does not read (${quoted(path)}), such as sparse or quantized ones.`,
      'Look for a file of this model in F32, F16 or BF16.',
    );
  }
  return new PunaError(
    'unsupported-model',
    `${fileName} wants to run code (${quoted(path)}) when it is opened; Puna refused, and ran nothing.`,
    'Look for this model as safetensors, which cannot run code. If it comes from strangers, open it nowhere else.',
  );
}
