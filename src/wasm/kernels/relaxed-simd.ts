export { default as relaxedSimd } from '../../../build/kernel/relaxed-simd.wasm';
