import { tensorTypes, type TensorType, type TensorTypeName } from './tensor.ts';

/** PyTorch's names of types of numbers, as in `torch.float16`, and Puna's. */
const dtypes: Readonly<Record<string, TensorTypeName>> = {
  ...{ float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16' },
  ...{ float8_e4m3fn: 'F8_E4M3', float8_e5m2: 'F8_E5M2' },
  ...{ int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8' },
  ...{ uint64: 'U64', uint32: 'U32', uint16: 'U16', uint8: 'U8', bool: 'BOOL' },
};

/** Classes of `torch` that name a storage of one type. */
const storages: Readonly<Record<string, TensorTypeName>> = {
  ...{ DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16' },
  ...{ LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8' },
  ...{ ByteStorage: 'U8', BoolStorage: 'BOOL' },
};

/** Names in `torch` of types that Puna has no numbers for. */
const foreignDtype = /^(complex\d+|q?u?int\d+(x\d)?|float\d+\w*|bits\w+)$/;
const foreignStorage = /^(Complex|Q|Quint)\w+Storage$/;

/** A type of numbers, or the name of one that Puna does not read. */
export type PytorchType = TensorType | string;

export function dtypeCalled(name: string): PytorchType | undefined {
  return lookUp(dtypes, name) ?? (foreignDtype.test(name) ? name : undefined);
}

export function storageCalled(name: string): PytorchType | undefined {
  return lookUp(storages, name) ?? (foreignStorage.test(name) ? name : undefined);
}

function lookUp(names: Readonly<Record<string, TensorTypeName>>, name: string): TensorType | undefined {
  const type = Object.hasOwn(names, name) ? names[name] : undefined;
  return type && tensorTypes[type];
}
