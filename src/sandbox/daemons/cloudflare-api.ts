import { runCloudflareProcess } from '../cloudflare/run-process.js';

// Started as: node cloudflare-api.js CONFIG.json, in the network of the lab's `api` host.
process.stdout.write(`ready ${await runCloudflareProcess(process.argv[2] ?? '')}\n`);
