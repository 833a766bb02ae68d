// A Worker that runs the suite. Its runtime compiles no bytes: the kernel comes as a module of the upload.
import * as core from 'seedspan';
import * as diffusion from 'seedspan/diffusion';
import * as formats from 'seedspan/formats';
import { runSuite } from './suite.mjs';

export default {
  async fetch() {
    return Response.json(await runSuite({ core, diffusion, formats }));
  },
};
