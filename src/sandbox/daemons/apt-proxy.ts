import { rmSync } from 'node:fs';
import { createAptProxy, removeStaleDrafts } from '../apt/apt-proxy.js';

// Started as: node apt-proxy.js SOCKET OPTIONS-AS-JSON. It outlives the process that started it and is killed with its lab.
const [socket = '', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json);
rmSync(socket, { force: true });
await removeStaleDrafts(options.cacheDir);
createAptProxy(options).listen(socket);
