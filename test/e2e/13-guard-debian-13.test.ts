import { describe } from 'vitest';
import { tellGuardStory } from './guard-story.js';

describe('Debian 13', () => tellGuardStory('debian-13'));
