/** Bytes of a file that are a file of their own: the file itself, or a member of an archive. */
export interface ByteRange {
  /** For people. */
  name: string;
  /** Absolute. */
  path: string;
  offset: number;
  length: number;
  /** Named by the user, not found in a folder or an archive: may have any extension, and must hold images. */
  outright: boolean;
  /** How many archives and compressed files are around it. */
  depth: number;
}
