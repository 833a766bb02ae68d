export {
  createEngine,
  type ExternalEngineOptions,
  type ExternalKernel,
} from './solver/create-external-engine.ts';
