import { describe } from 'vitest';
import { tellDayTwoStory } from './day-two-story.js';
import { tellUninstallStory } from './uninstall-story.js';

describe.each(['debian-12', 'debian-13'] as const)('day two on %s', (image) => {
  const getWorld = tellDayTwoStory(image);
  tellUninstallStory(image, getWorld);
});
