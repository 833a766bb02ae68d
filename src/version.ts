/** This package's version; its kernels carry the same, since the two fit together only then. */
export const VERSION = '0.1.0';
