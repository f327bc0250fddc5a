import { join } from 'node:path';
import type { TargetParts } from '../lib/ssh-target.js';
import { loadConfigFile } from './config-files.js';
import { evaluateSshConfig, type HostSettings, type LocalIdentity } from './host-settings.js';

/** Reads ~/.ssh/config and ssh_config of the system and answers for any target (hops too). */
export async function readSshConfig(local: LocalIdentity): Promise<(target: TargetParts) => HostSettings> {
  const userDir = join(local.homeDir, '.ssh');
  const own = await loadConfigFile(join(userDir, 'config'), userDir, local.homeDir);
  const system = await loadConfigFile(join(local.systemDir, 'ssh_config'), local.systemDir, local.homeDir);
  const fileWarnings = [...own.warnings, ...system.warnings];
  return (target) => {
    const settings = evaluateSshConfig(target, [own.lines, system.lines], local);
    return { ...settings, warnings: [...fileWarnings, ...settings.warnings] };
  };
}
