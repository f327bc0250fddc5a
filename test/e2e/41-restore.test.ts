import { describe } from 'vitest';
import { tellRestoreStory } from './restore-story.js';

describe.each([
  ['debian-12', 'debian-13'],
  ['debian-13', 'debian-12'],
] as const)('restored from %s to %s', (from, to) => {
  tellRestoreStory(from, to);
});
