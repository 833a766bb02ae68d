export interface PageResult {
  name: string;
  ok: boolean;
  detail: string;
}

export function testPage(options: {
  /** The module `playwright-core`. */
  playwright: unknown;
  executablePath: string;
  folder: string;
  only?: string;
}): Promise<PageResult[]>;
