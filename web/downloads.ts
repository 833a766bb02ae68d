import { writeNpy } from '../src/formats/index.ts';

/** Hands a file to the browser's downloads. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken the content by then; at once would be too early in some.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveNpy(name: string, data: Float32Array | Float64Array, shape: number[]): void {
  const bytes = writeNpy({ data, shape });
  save(name, new Blob([Uint8Array.from(bytes)], { type: 'application/octet-stream' }));
}

export async function savePng(name: string, canvas: HTMLCanvasElement): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null) throw new Error(`${name}: the browser could not make a PNG of this size`);
  save(name, blob);
}
