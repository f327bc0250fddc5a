import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readHostApt } from './apt/host-apt.js';
import { ensureImage } from './images/build-image.js';
import type { VpsImage } from './images/recipes.js';
import type { Lab } from './lab.js';
import type { LabHost } from './machine/host.js';
import { ensureHostKeys } from './machine/ssh-keys.js';
import { furnishVps } from './machine/vps.js';
import { waitUntil } from './machine/wait-until.js';
import { readLabState } from './state.js';

export interface SecondVps extends LabHost {
  /** `SHA256:…` of the Ed25519 host key. */
  readonly hostKeyFingerprint: string;
}

/** Rents another fresh server in a lab: the one a backup is restored onto. The lab's SSH key lets in there, too. */
export async function rentSecondVps(lab: Lab, image: VpsImage, hostname = 'vps2'): Promise<SecondVps> {
  const state = await readLabState(lab.name);
  if (state === undefined) throw new Error(`the sandbox ${lab.name} is gone`);
  const imageDir = await ensureImage(image, { cacheDir: state.cacheDir, log: () => undefined });
  const apt = await readHostApt();
  let hostKeyFingerprint = '';
  const host = await lab.startHost('vps2', {
    last: 26,
    program: { kind: 'boot', hostname, imageDir },
    prepare: async (root) => {
      await furnishVps(root, hostname, image, apt);
      await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
      await writeFile(join(root, 'root/.ssh/authorized_keys'), await readFile(`${lab.vps.sshKeyFile}.pub`));
      hostKeyFingerprint = await ensureHostKeys(root);
    },
  });
  const greet = `exec 3<>/dev/tcp/${host.ipv4}/22 && read -r -t 2 -n 4 -u 3 text && printf %s "$text"`;
  await waitUntil(
    async () => (await lab.client.exec('timeout', ['3', 'bash', '-c', greet])).stdout === 'SSH-',
    {
      what: 'the second VPS to answer on port 22',
      timeoutMs: 120_000,
      evidence: () => host.tail(),
    },
  );
  return { ...host, hostKeyFingerprint };
}
