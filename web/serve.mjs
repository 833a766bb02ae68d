import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * What the page may load and run: it says so itself, in a meta element, and the server says it with every file, since a
 * worker has the policy of its own response and not that of the page that starts it.
 */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'";

/**
 * Serves a folder on the loopback interface, below any path: `prefix` is where.
 *
 * @returns the address, and `close`
 */
export async function serve(folder, { port = 0, prefix = '/', policy = POLICY } = {}) {
  const server = createServer((request, response) => {
    const answer = (status, headers, body) => {
      response.writeHead(status, { 'X-Content-Type-Options': 'nosniff', ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const plain = { 'Content-Type': TYPES['.txt'] };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(405, { ...plain, Allow: 'GET, HEAD' }, 'Only GET and HEAD.\n');
      return;
    }
    let path;
    try {
      path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    } catch {
      answer(400, plain, 'This is no address.\n');
      return;
    }
    const below = path.startsWith(prefix) ? normalize(path.slice(prefix.length) || 'index.html') : '..';
    if (below.startsWith('..') || below.startsWith(sep) || below.includes('\0')) {
      answer(404, plain, 'There is nothing here.\n');
      return;
    }
    readFile(join(folder, below)).then(
      (body) => {
        const type = TYPES[extname(below)] ?? 'application/octet-stream';
        const headers = { 'Content-Type': type, 'Cache-Control': 'no-cache' };
        answer(200, { ...headers, 'Content-Security-Policy': policy }, body);
      },
      () => answer(404, plain, 'There is nothing here.\n'),
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}${prefix}`;
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url, close };
}
