// A page on the loopback interface, and what it sends back.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
};

/**
 * Serves a folder.
 *
 * @param csp the Content-Security-Policy of everything, if any
 * @returns `url`, with a slash at its end; `outcome`, a promise of what the page posts; `close`
 */
export async function serve(folder, csp) {
  let settle;
  const outcome = new Promise((resolve) => {
    settle = resolve;
  });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (request.method === 'POST' && pathname === '/outcome') {
      let text = '';
      for await (const chunk of request) text += chunk;
      response.end();
      settle(JSON.parse(text));
      return;
    }
    const name = pathname === '/' ? 'index.html' : normalize(pathname).replace(/^[/\\]+/, '');
    try {
      const bytes = await readFile(join(folder, name));
      if (csp !== undefined) response.setHeader('content-security-policy', csp);
      response.setHeader('content-type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, outcome, close };
}
