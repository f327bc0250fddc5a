import { describe } from 'vitest';
import { tellMailFlowStory } from './mail-flow-story.js';

// Dovecot 2.3 and 2.4, Rspamd 3.4 and 3.12, Postfix 3.7 and 3.10: what they do with mail is told on both releases.
describe.each(['debian-12', 'debian-13'] as const)('mail on %s', (image) => {
  tellMailFlowStory(image);
});
