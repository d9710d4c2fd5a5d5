import { fileURLToPath } from 'node:url';

/** The repository. This module runs from source, and from `.modules/`, where the build puts the compiled scripts. */
export const ROOT = fileURLToPath(
  new URL(import.meta.url.endsWith('/.modules/scripts/root.js') ? '../..' : '..', import.meta.url),
);
