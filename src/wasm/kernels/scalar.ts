export { default as scalar } from '../../../build/kernel/scalar.wasm';
