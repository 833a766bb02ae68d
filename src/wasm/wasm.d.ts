declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** Deflated, in zlib's format. */
declare module '*.wasm.z' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
