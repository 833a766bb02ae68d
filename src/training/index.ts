export { loadTensors, type TensorOptions, type Tensors } from './tensors/backend.ts';
