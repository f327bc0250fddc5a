import { describe } from 'vitest';
import { tellRestoreStory } from './restore-story.js';

describe('restored from debian-12 to debian-13', () => {
  tellRestoreStory('debian-12', 'debian-13');
});
