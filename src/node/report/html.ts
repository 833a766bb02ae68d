/** Text that is markup already. All else that goes into a page is escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

/** A template whose values are escaped, unless they are {@link Markup}; lists are joined, `undefined` is nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, string, k) => text + render(parts[k - 1]) + string));
}

/** A PNG in the page itself. */
export function dataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

/** A picture with its text for those who do not see it. */
export function picture(png: Uint8Array, alt: string, caption: string): Markup {
  return html`<figure><img src="${dataUri(png)}" alt="${alt}"><figcaption>${caption}</figcaption></figure>`;
}

/** Column headings and rows; the first cell of a row is its heading. `align`: columns of numbers. */
export interface Table {
  caption: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
  /** Index of the first column that holds numbers; absent: none. */
  numbersFrom?: number;
}

export function table({ caption, head, rows, numbersFrom = Infinity }: Table): Markup {
  const kind = (k: number) => (k >= numbersFrom ? new Markup(' class="number"') : undefined);
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((cell, k) => html`<th scope="col"${kind(k)}>${cell}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><th scope="row">${row[0]}</th>${row
      .slice(1)
      .map((cell, k) => html`<td${kind(k + 1)}>${cell}</td>`)}</tr>
`,
  )}</tbody>
</table></div>`;
}
