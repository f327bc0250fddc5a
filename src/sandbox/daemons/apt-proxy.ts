import { rmSync } from 'node:fs';
import { createAptProxy } from '../apt/apt-proxy.js';

// Started as: node apt-proxy.js SOCKET OPTIONS-AS-JSON. It outlives the process that started it and is killed with its lab.
const [socket = '', options = '{}'] = process.argv.slice(2);
rmSync(socket, { force: true });
createAptProxy(JSON.parse(options)).listen(socket);
