// Specs of the kernel's inner functions, which the builds do not export. Paths are from the top of the project.
import './reporter.js';

export default {
  entries: ['tests/kernel/aspect/**/*.spec.ts'],
  include: ['tests/kernel/aspect/**/*.include.ts'],
  disclude: [/node_modules/],
  reporter: 'tests/kernel/aspect/reporter.js',
  async instantiate(memory, createImports, instantiate, binary) {
    let instance;
    /** y <- id x: what the specs expect of their host. */
    const multiply = (id, n, x, y) => {
      const view = new Float64Array(instance.exports.memory.buffer);
      for (let i = 0; i < n; i++) view[y / 8 + i] = id * view[x / 8 + i];
    };
    instance = await instantiate(binary, createImports({ env: { memory }, host: { multiply } }));
    return instance;
  },
};
