import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLocalUser } from '../../../local-user.js';

const keys = new Map([
  ['aws_access_key_id', 'accessKeyId'],
  ['aws_secret_access_key', 'secretAccessKey'],
  ['aws_session_token', 'sessionToken'],
]);

/**
 * The keys of the profile that AWS_PROFILE names, from the file that `aws configure` writes:
 * https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-files.html. A profile that is not named is not read, not
 * even the default one. A role or single sign-on has no keys there, and they are then missing.
 */
export async function readAwsProfile(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>> | undefined> {
  const profile = env.AWS_PROFILE;
  if (profile === undefined || profile === '') return undefined;
  const path = env.AWS_SHARED_CREDENTIALS_FILE || join(readLocalUser(env).homeDir, '.aws', 'credentials');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseProfile(text, profile);
}

function parseProfile(text: string, profile: string): Record<string, string> {
  const found: Record<string, string> = {};
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line);
    if (section) inside = section[1] === profile;
    const [, name = '', value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const key = keys.get(name.toLowerCase());
    if (inside && key !== undefined && value !== '') found[key] = value;
  }
  return found;
}
