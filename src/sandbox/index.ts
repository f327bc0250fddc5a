export { cacheDirFrom } from './cache-dir.js';
export { createLab } from './create-lab.js';
export { destroyLab, findRemains } from './destroy-lab.js';
export { findMissingHostPackages, installHostPackages } from './host-packages.js';
export { ensureImage } from './images/build-image.js';
export type { VpsImage } from './images/recipes.js';
export { type Lab, listLabs, loadLab } from './lab.js';
export { hasLayer, pruneLayers, removeLayer } from './machine/layers.js';
