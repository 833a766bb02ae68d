// The codec, a module of its own: what its host may call. Numbers and byte addresses only.

export { allocate, release } from '../memory/arena';
export { encodeFrame, frameRoom, frameWork } from './blosc';
export { narrow } from './narrow';
