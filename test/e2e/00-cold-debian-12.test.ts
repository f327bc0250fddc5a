import { afterAll, beforeAll, describe } from 'vitest';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import { type Installed, installServer } from '../helpers/world.js';
import { tellColdStory } from './cold-story.js';

let installed: Installed;
let receiver: Receiver;
beforeAll(async () => {
  installed = await installServer('e2e-cold-12', 'debian-12');
  receiver = await startReceiver(installed.world.lab);
});
afterAll(() => installed?.world.lab.down());

describe('a fresh Debian 12', () => {
  tellColdStory({ world: () => installed.world, init: () => installed.init, receiver: () => receiver });
});
