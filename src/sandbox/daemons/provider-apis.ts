import { runProviderApis } from '../emulator/run-provider-apis.js';

// Started as: node provider-apis.js CONFIG.json, in the network of a lab's host.
await runProviderApis(process.argv[2] ?? '');
process.stdout.write('ready\n');
