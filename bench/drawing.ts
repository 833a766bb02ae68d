import { parseHTML } from 'linkedom';

const page = parseHTML('<!doctype html><html><body></body></html>');

/** For Observable Plot, where there is no browser. */
export const document = page.document as unknown as Document;

/** A file of its own, readable on light and dark pages alike. */
export function asFile(drawing: { outerHTML: string }): string {
  return drawing.outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}

export const STYLE = {
  fontSize: '12px',
  fontFamily: 'system-ui, sans-serif',
  background: 'white',
  color: '#1a1a1a',
};
export const COLOURS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#1a1a1a', '#9c6b4e'];
