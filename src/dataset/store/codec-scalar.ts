export { default as scalar } from '../../../build/kernel/codec-scalar.wasm';
