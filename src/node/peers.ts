import { loadPeer } from '../peers.ts';

/** sharp, for picture files. */
export async function loadSharp() {
  return (await loadPeer('sharp', 'to read and write pictures', () => import('sharp'))).default;
}
