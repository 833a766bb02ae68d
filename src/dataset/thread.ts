// What runs in each thread of a `ShardRunner`.
import { parentPort } from 'node:worker_threads';
import { type Parent, serve } from '../worker/serve.ts';
import { openShards } from './shards.ts';

serve(parentPort as unknown as Parent, { shards: openShards });
