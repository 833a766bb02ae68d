// As for `workerd`; Vercel's runtime wants `?module` behind the file's name, which the build adds.
export { kernels } from './workerd.ts';
