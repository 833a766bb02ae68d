import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import type { QueueConnection } from './connection.ts';
import { type QueueStatus, queueStatus } from './status.ts';

/** How {@link serveBoard} serves. */
export interface BoardOptions {
  /** Default: 3000; 0 is any that is free. */
  port?: number;
  /** Address to listen at. Default: 127.0.0.1, this machine alone. */
  host?: string;
  /** Whether the page may retry, remove and pause. Default: no. */
  allowChanges?: boolean;
}

/** A page that is being served. */
export interface Board {
  url: string;
  /** Ends it. */
  close(): Promise<void>;
}

const NAMES = ['port', 'host', 'allowChanges'];
const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const BOARD = '/board';

const PURPOSE = 'for the board';

async function loadPeers() {
  const [{ Hono }, server, files, { createBoard }, { BullMQAdapter }, { HonoAdapter }] = await Promise.all([
    loadPeer('hono', PURPOSE, () => import('hono')),
    loadPeer('@hono/node-server', PURPOSE, () => import('@hono/node-server')),
    loadPeer('@hono/node-server', PURPOSE, () => import('@hono/node-server/serve-static')),
    loadPeer('@bull-board/api', PURPOSE, async () => {
      const { createBullBoard } = await import('@bull-board/api');
      return { createBoard: createBullBoard };
    }),
    loadPeer('@bull-board/api', PURPOSE, () => import('@bull-board/api/bullMQAdapter')),
    loadPeer('@bull-board/hono', PURPOSE, () => import('@bull-board/hono')),
  ]);
  return {
    Hono,
    serve: server.serve,
    serveStatic: files.serveStatic,
    createBoard,
    BullMQAdapter,
    HonoAdapter,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A line for each worker; the board itself knows only jobs. */
function statusPage(status: QueueStatus): string {
  const row = (tag: string, cells: readonly (string | number)[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(String(cell))}</${tag}>`).join('')}</tr>`;
  const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
    `<table>${row('th', head)}${rows.map((cells) => row('td', cells)).join('')}</table>`;
  const { waiting, active, delayed, failed, workers, failures, rate } = status;
  const parts = [
    `<h1>${escapeHtml(status.name)}</h1>`,
    `<p>${rate.toFixed(2)} images a second. <a href="${BOARD}/">Jobs</a>, <a href="/status.json">JSON</a></p>`,
    table(['waiting', 'at work', 'to be tried again', 'given up'], [[waiting, active, delayed, failed]]),
    '<h2>Workers</h2>',
    table(
      ['machine', 'process', 'threads', 'shards done', 'images done', 'images a second', 'at shards'],
      workers.map((worker) => [
        worker.machine,
        worker.pid,
        worker.threads,
        worker.shards,
        worker.images,
        worker.rate.toFixed(2),
        worker.working.map(({ shard, images }) => `${shard} (${images})`).join(', '),
      ]),
    ),
    '<h2>Given up</h2>',
    table(
      ['shard', 'attempts', 'reason'],
      failures.map(({ shard, attempts, code, message }) => [shard, attempts, `${code}: ${message}`]),
    ),
  ];
  const style =
    'body{font:15px system-ui;margin:2em}table{border-collapse:collapse}td,th{padding:.2em .8em;border:1px solid #ccc;text-align:left}';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>seedspan</title><style>${style}</style>${parts.join('')}</html>`;
}

/**
 * Serves a page of a queue's jobs (Bull Board) at `/board/`, of its workers at `/`, and its status at `/status.json`.
 *
 * @throws SeedspanError `UNSUPPORTED` where a package is missing; `INVALID_VALUE`; `IO` where the port is taken
 */
export async function serveBoard(connection: QueueConnection, options: BoardOptions = {}): Promise<Board> {
  checkOptionNames('serveBoard', options, NAMES);
  const { port = 3000, host = '127.0.0.1', allowChanges = false } = options;
  if (!(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new SeedspanError('INVALID_VALUE', `port is ${show(port)}, must be an integer from 0 to 65535`, {
      port,
    });
  }
  const { Hono, serve, serveStatic, createBoard, BullMQAdapter, HonoAdapter } = await loadPeers();
  const { bullmq, client, name, prefix } = connection;
  const queue = new bullmq.Queue(name, { connection: client, prefix });
  queue.on('error', () => undefined);
  const adapter = new HonoAdapter(serveStatic);
  adapter.setBasePath(BOARD);
  createBoard({
    queues: [new BullMQAdapter(queue, { readOnlyMode: !allowChanges })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'seedspan' } },
  });
  const app = new Hono({ strict: false });
  app.use(async (context, next) => {
    // A page elsewhere whose name resolves to this machine must not read the board through a visitor's browser.
    const asked = new URL(context.req.url).hostname.replace(/^\[(.*)\]$/, '$1');
    if (LOOPBACK.includes(host) && !LOOPBACK.includes(asked)) return context.text('unknown host', 403);
    if (!allowChanges && !['GET', 'HEAD'].includes(context.req.method)) return context.text('read only', 405);
    return next();
  });
  app.get('/', async (context) => context.html(statusPage(await queueStatus(connection))));
  app.get('/status.json', async (context) => context.json(await queueStatus(connection)));
  app.onError((error, context) => context.text(connection.describe(error), 503));
  app.route(BOARD, adapter.registerPlugin());
  const server = serve({ fetch: app.fetch, port, hostname: host }) as Server;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
  } catch (error) {
    await queue.close();
    const { code } = error as NodeJS.ErrnoException;
    throw new SeedspanError('IO', `cannot listen at ${host}, port ${port}: ${code}`, { host, port });
  }
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await queue.close();
    },
  };
}
