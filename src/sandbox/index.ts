export { cacheDirFrom } from './cache-dir.js';
export { destroyLab, findRemains } from './destroy-lab.js';
export { findMissingHostPackages, installHostPackages } from './host-packages.js';
export { ensureImage } from './images/build-image.js';
export { type ImageName, VPS_IMAGES, type VpsImage } from './images/recipes.js';
export { createLab, type Lab, type LabClient, type LabOptions, listLabs, loadLab } from './lab.js';
export type { Vps } from './machine/vps.js';
