import { describe } from 'vitest';
import { tellGuardStory } from './guard-story.js';

describe('Debian 12', () => tellGuardStory('debian-12'));
