import { expect, it } from 'vitest';
import { readLocalUser } from '../../../src/local-user.js';

/** What Node throws for a uid without an entry in /etc/passwd. */
function unlisted(): never {
  throw Object.assign(new Error('A system error occurred: uv_os_get_passwd returned ENOENT'), {
    code: 'ERR_SYSTEM_ERROR',
    syscall: 'uv_os_get_passwd',
  });
}
const ada = () => ({ username: 'ada', uid: 1000, homedir: '/home/ada' });
const uid = process.getuid?.();

it('believes the system about the name and HOME about the home directory', () => {
  expect(readLocalUser({ USER: 'eve', LOGNAME: 'eve' }, ada)).toEqual({
    name: 'ada',
    uid: 1000,
    homeDir: '/home/ada',
  });
  expect(readLocalUser({ HOME: '/srv' }, ada).homeDir).toBe('/srv');
});

it('gets along with a uid that the system does not know', () => {
  const home = { HOME: '/srv' };
  expect(readLocalUser({ ...home, USER: 'eve', LOGNAME: 'eva' }, unlisted)).toEqual({
    name: 'eve',
    uid,
    homeDir: '/srv',
  });
  expect(readLocalUser({ ...home, USER: '', LOGNAME: 'eva' }, unlisted).name).toBe('eva');
  expect(readLocalUser({ HOME: '' }, unlisted)).toEqual({ name: String(uid), uid, homeDir: '/' });
});

it('hides no other failure', () => {
  const broken = () => {
    throw new Error('broken');
  };
  expect(() => readLocalUser({}, broken)).toThrow('broken');
});
