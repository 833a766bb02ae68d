import protobuf from 'protobufjs';

/** Element types of ONNX, by their numbers in `TensorProto.DataType`. */
const TYPES = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const;
export type ElementType = keyof typeof TYPES;

/** What is used here of the ONNX format (IR version 8), with the field numbers of its specification. */
const SCHEMA = protobuf.parse(`
  syntax = "proto3";
  message Model { int64 ir_version = 1; Graph graph = 7; repeated OperatorSet opset_import = 8; }
  message OperatorSet { string domain = 1; int64 version = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
    repeated Value input = 11; repeated Value output = 12;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5;
  }
  message Attribute { string name = 1; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4; repeated int64 int64_data = 7; string name = 8; }
  message Value { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`).root;

export interface Value {
  name: string;
  type?: ElementType;
  /** A name stands for a length that the caller chooses. */
  shape: (number | string)[];
}

/** `[operator, inputs, output, attributes]`: an attribute is an integer or a list of them. */
export type Node = [string, string[], string, Record<string, number | number[]>?];

export interface Graph {
  inputs: Value[];
  outputs: Value[];
  nodes: Node[];
  /** Numbers as scalars; arrays with their shape. */
  constants?: Record<string, number | { data: number[]; shape: number[]; type?: 'float32' | 'int64' }>;
}

/** An ONNX file. */
export function onnxModel({ inputs, outputs, nodes, constants = {} }: Graph): Uint8Array {
  const value = ({ name, type = 'float32', shape }: Value) => ({
    name,
    type: {
      tensorType: {
        elemType: TYPES[type],
        shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) },
      },
    },
  });
  const attribute = ([name, a]: [string, number | number[]]) =>
    typeof a === 'number' ? { name, i: a, type: 2 } : { name, ints: a, type: 7 };
  const tensor = ([name, c]: [string, NonNullable<Graph['constants']>[string]]) => {
    const {
      data,
      shape,
      type = 'float32',
    } = typeof c === 'number' ? { data: [c], shape: [] } : { type: undefined, ...c };
    return {
      name,
      dims: shape,
      dataType: TYPES[type],
      ...(type === 'int64' ? { int64Data: data } : { floatData: data }),
    };
  };
  const message = SCHEMA.lookupType('Model').fromObject({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'network',
      node: nodes.map(([opType, input, output, attributes = {}]) => ({
        opType,
        input,
        output: [output],
        attribute: Object.entries(attributes).map(attribute),
      })),
      initializer: Object.entries(constants).map(tensor),
      input: inputs.map(value),
      output: outputs.map(value),
    },
  });
  return Uint8Array.from(SCHEMA.lookupType('Model').encode(message).finish());
}
