/** The element of that id, which the page's HTML has. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element "${id}"`);
  return element as T;
}

export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible;
}

/** Says something to who cannot see it happen. */
export function announce(text: string): void {
  byId('announcer').textContent = text;
}

/** A problem, where it is seen and heard; undefined: there is none any more. */
export function alertUser(text: string | undefined): void {
  const box = byId('alert');
  // Written anew even when it is the same, so that it is heard again.
  box.textContent = '';
  show(box, text !== undefined);
  if (text === undefined) return;
  box.textContent = text;
  box.scrollIntoView({ block: 'nearest' });
}

/** A canvas's context for drawing in two dimensions; there is always one. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext('2d')!;
}

/** Gives a canvas as many pixels as it takes on the screen, up to two by two a CSS pixel. True: it was changed. */
export function fitToScreen(canvas: HTMLCanvasElement, height = 1, width = 1): boolean {
  const density = Math.min(2, window.devicePixelRatio || 1);
  const longest = Math.max(canvas.clientWidth, canvas.clientHeight, 64) * density;
  const scale = longest / Math.max(height, width);
  const [h, w] = [Math.round(height * scale), Math.round(width * scale)];
  if (canvas.height === h && canvas.width === w) return false;
  canvas.height = h;
  canvas.width = w;
  return true;
}
