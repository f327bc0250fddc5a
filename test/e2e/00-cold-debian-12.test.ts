import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type Installed, installServer } from '../helpers/world.js';
import { tellColdStory } from './cold-story.js';
import { tellWebStory } from './web-story.js';

let installed: Installed;
let receiver: Receiver;
beforeAll(async () => {
  installed = await installServer('e2e-cold-12', 'debian-12');
  receiver = await startReceiver(installed.world.lab);
});
afterAll(() => installed?.world.lab.down());

describe('a fresh Debian 12', () => {
  it('ends well and sums up what was done', () => {
    const { world, init } = installed;
    const { code, stdout, stderr } = init;
    expect(code, stdout + stderr).toBe(0);
    for (const text of ['MX', 'v=spf1', 'v=DKIM1', 'v=DMARC1', world.rehearsal.mailbox, '993', '465', '587'])
      expect(stdout).toContain(text);
    expect(stdout + stderr).not.toMatch(/\u001b/);
  });

  tellWebStory({ world: () => installed.world, receiver: () => receiver });
  tellColdStory({ world: () => installed.world, receiver: () => receiver });
});
