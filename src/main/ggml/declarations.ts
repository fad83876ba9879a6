/**
 * The functions of ggml's C API that Puna calls, each declared once: what it gives, then what it takes. Order and names are
 * those of ggml.h, ggml-alloc.h and ggml-backend.h, so that either explains the other; shapes are at the methods of
 * `operations.ts`.
 */
export const baseDeclarations = {
  // ggml.h: contexts and tensors
  ggml_init: ['context', 'init_params'],
  ggml_free: ['void', 'context'],
  ggml_tensor_overhead: ['size'],
  ggml_graph_overhead_custom: ['size', 'size', 'bool'],
  ggml_new_tensor: ['tensor', 'context', 'int', 'int', 'int64s'],
  ggml_get_first_tensor: ['tensor?', 'context'],
  ggml_get_next_tensor: ['tensor?', 'context', 'tensor'],
  ggml_set_input: ['void', 'tensor'],
  ggml_set_output: ['void', 'tensor'],
  ggml_set_param: ['void', 'tensor'],
  // ggml.h: numbers and their types
  ggml_get_type_traits: ['type_traits', 'int'],
  ggml_fp16_to_fp32_row: ['void', 'bytes', 'bytes', 'int64'],
  ggml_fp32_to_fp16_row: ['void', 'bytes', 'bytes', 'int64'],
  ggml_fp32_to_bf16_row: ['void', 'bytes', 'bytes', 'int64'],
  ggml_quantize_requires_imatrix: ['bool', 'int'],
  ggml_quantize_chunk: ['size', 'int', 'bytes', 'bytes', 'int64', 'int64', 'int64', 'null'],
  // ggml.h: operations
  ggml_add: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_add_inplace: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_acc_inplace: ['tensor', 'context', 'tensor', 'tensor', 'size', 'size', 'size', 'size'],
  ggml_set_inplace: ['tensor', 'context', 'tensor', 'tensor', 'size', 'size', 'size', 'size'],
  ggml_sub: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_mul: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_div: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_sqr: ['tensor', 'context', 'tensor'],
  ggml_sqrt: ['tensor', 'context', 'tensor'],
  ggml_log: ['tensor', 'context', 'tensor'],
  ggml_sum: ['tensor', 'context', 'tensor'],
  ggml_sum_rows: ['tensor', 'context', 'tensor'],
  ggml_repeat: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_repeat_back: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_concat: ['tensor', 'context', 'tensor', 'tensor', 'int'],
  ggml_tanh: ['tensor', 'context', 'tensor'],
  ggml_silu_back: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_geglu_split: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_swiglu_split: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_rms_norm: ['tensor', 'context', 'tensor', 'float'],
  ggml_rms_norm_back: ['tensor', 'context', 'tensor', 'tensor', 'float'],
  ggml_mul_mat: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_out_prod: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_scale: ['tensor', 'context', 'tensor', 'float'],
  ggml_scale_bias: ['tensor', 'context', 'tensor', 'float', 'float'],
  ggml_cast: ['tensor', 'context', 'tensor', 'int'],
  ggml_cont: ['tensor', 'context', 'tensor'],
  ggml_reshape_4d: ['tensor', 'context', 'tensor', 'int64', 'int64', 'int64', 'int64'],
  ggml_view_4d: [
    ...(['tensor', 'context', 'tensor', 'int64', 'int64', 'int64', 'int64'] as const),
    ...(['size', 'size', 'size', 'size'] as const),
  ],
  ggml_permute: ['tensor', 'context', 'tensor', 'int', 'int', 'int', 'int'],
  ggml_transpose: ['tensor', 'context', 'tensor'],
  ggml_get_rows: ['tensor', 'context', 'tensor', 'tensor'],
  ggml_get_rows_back: ['tensor', 'context', 'tensor', 'tensor', 'tensor'],
  ggml_set_rows: ['tensor', 'context', 'tensor', 'tensor', 'tensor'],
  ggml_soft_max_ext: ['tensor', 'context', 'tensor', 'tensor?', 'float', 'float'],
  ggml_flash_attn_ext: [
    ...(['tensor', 'context', 'tensor', 'tensor', 'tensor', 'tensor?'] as const),
    ...(['float', 'float', 'float'] as const),
  ],
  ggml_soft_max_ext_back: ['tensor', 'context', 'tensor', 'tensor', 'float', 'float'],
  ggml_rope_ext: [
    ...(['tensor', 'context', 'tensor', 'tensor', 'tensor?', 'int', 'int', 'int'] as const),
    ...(['float', 'float', 'float', 'float', 'float', 'float'] as const),
  ],
  ggml_rope_ext_back: [
    ...(['tensor', 'context', 'tensor', 'tensor', 'tensor?', 'int', 'int', 'int'] as const),
    ...(['float', 'float', 'float', 'float', 'float', 'float'] as const),
  ],
  ggml_clamp: ['tensor', 'context', 'tensor', 'float', 'float'],
  ggml_pad_ext: [
    ...(['tensor', 'context', 'tensor', 'int', 'int', 'int', 'int', 'int', 'int', 'int', 'int'] as const),
  ],
  ggml_fill: ['tensor', 'context', 'tensor', 'float'],
  ggml_opt_step_adamw: ['tensor', 'context', 'tensor', 'tensor', 'tensor', 'tensor', 'tensor'],
  // ggml.h: graphs
  ggml_build_forward_expand: ['void', 'graph', 'tensor'],
  ggml_new_graph_custom: ['graph', 'context', 'size', 'bool'],
  ggml_graph_n_nodes: ['int', 'graph'],
  // ggml-alloc.h
  ggml_gallocr_new: ['allocator', 'buffer_type'],
  ggml_gallocr_free: ['void', 'allocator'],
  ggml_gallocr_reserve_n_size: ['void', 'allocator', 'graph', 'null', 'null', 'sizes'],
  ggml_gallocr_alloc_graph: ['bool', 'allocator', 'graph'],
  ggml_backend_alloc_ctx_tensors_from_buft: ['buffer?', 'context', 'buffer_type'],
  // ggml-backend.h
  ggml_backend_buft_alloc_buffer: ['buffer?', 'buffer_type', 'size'],
  ggml_backend_get_default_buffer_type: ['buffer_type', 'backend'],
  ggml_backend_buffer_get_size: ['size', 'buffer'],
  ggml_backend_buffer_clear: ['void', 'buffer', 'uint8'],
  ggml_backend_buffer_free: ['void', 'buffer'],
  ggml_backend_tensor_set: ['void', 'tensor', 'bytes', 'size', 'size'],
  ggml_backend_tensor_get: ['void', 'tensor', 'bytes', 'size', 'size'],
  ggml_backend_supports_op: ['bool', 'backend', 'tensor'],
  ggml_backend_free: ['void', 'backend'],
  ggml_backend_dev_name: ['text', 'device'],
  ggml_backend_dev_description: ['text', 'device'],
  ggml_backend_dev_memory: ['void', 'device', 'sizes', 'sizes'],
  ggml_backend_dev_type: ['int', 'device'],
  ggml_backend_dev_init: ['backend?', 'device', 'null'],
  ggml_backend_dev_backend_reg: ['registry', 'device'],
  ggml_backend_reg_get_proc_address: ['function?', 'registry', 'text'],
} as const satisfies Record<string, Declaration>;

/** In the library that knows the backends. */
export const registryDeclarations = {
  ggml_backend_load_all_from_path: ['void', 'text'],
  ggml_backend_dev_count: ['size'],
  ggml_backend_dev_get: ['device', 'size'],
} as const satisfies Record<string, Declaration>;

/** The address of something of ggml's. Its kind keeps it from being given where another kind is meant. */
export type Pointer<Kind extends string> = bigint & { readonly kind: Kind };

/** What crosses the border, by the name that the declarations use. */
interface NativeTypes {
  void: undefined;
  null: null;
  bool: boolean;
  uint8: number;
  int: number;
  int64: number;
  float: number;
  /** Bytes, below 2 ** 53. */
  size: number;
  text: string;
  init_params: { mem_size: number; mem_buffer: null; no_alloc: boolean };
  int64s: BigInt64Array;
  sizes: BigUint64Array;
  bytes: NodeJS.TypedArray;
  context: Pointer<'context'>;
  tensor: Pointer<'tensor'>;
  'tensor?': Pointer<'tensor'> | null;
  graph: Pointer<'graph'>;
  allocator: Pointer<'allocator'>;
  buffer_type: Pointer<'buffer_type'>;
  buffer: Pointer<'buffer'>;
  'buffer?': Pointer<'buffer'> | null;
  backend: Pointer<'backend'>;
  'backend?': Pointer<'backend'> | null;
  device: Pointer<'device'>;
  registry: Pointer<'registry'>;
  type_traits: Pointer<'type_traits'>;
  'function?': Pointer<'function'> | null;
}

/** The same in koffi's words; what is not here is an address. */
export const koffiTypes: Partial<Record<NativeType, string>> = {
  void: 'void',
  bool: 'bool',
  uint8: 'uint8_t',
  int: 'int',
  int64: 'int64_t',
  float: 'float',
  size: 'size_t',
  text: 'str',
  init_params: 'ggml_init_params',
  int64s: 'int64_t *',
  sizes: '_Inout_ size_t *',
  bytes: 'void *',
};

export type NativeType = keyof NativeTypes;
type Declaration = readonly [result: NativeType, ...parameters: NativeType[]];

type Signature<D extends Declaration> = D extends readonly [
  infer Result extends NativeType,
  ...infer Parameters extends readonly NativeType[],
]
  ? (...values: { [Index in keyof Parameters]: NativeTypes[Parameters[Index]] }) => NativeTypes[Result]
  : never;

type Declarations = typeof baseDeclarations & typeof registryDeclarations;

/** ggml's functions by their names in C. */
export type Functions = { readonly [Name in keyof Declarations]: Signature<Declarations[Name]> };
