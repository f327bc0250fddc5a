import { describe } from 'vitest';
import { tellDomainsStory } from './domains-story.js';

describe.each(['debian-12', 'debian-13'] as const)('domains and keys on %s', (image) => {
  tellDomainsStory(image);
});
