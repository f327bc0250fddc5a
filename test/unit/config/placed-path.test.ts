import { expect, it } from 'vitest';
import type { Answers } from '../../../src/config/answers.js';
import { findPlaced, placePaths } from '../../../src/config/placed-path.js';

const flag = { from: 'flag', name: '--identity' } as const;
const given = (value: string): Answers => ({ identity: { value, origin: flag } });
const [home, cwd] = ['/home/ada', '/home/ada/work'];

it.each([
  ['smtp-setup.yaml', 'key', 'key'],
  ['smtp-setup.yaml', './keys/../key', 'key'],
  ['mail/smtp-setup.yaml', 'mail/key', 'key'],
  ['mail/smtp-setup.yaml', 'key', '../key'],
  ['/etc/mail.yaml', 'key', '../home/ada/work/key'],
  ['mail/smtp-setup.yaml', '/keys/id', '/keys/id'],
  ['mail/smtp-setup.yaml', '~/.ssh/id', '~/.ssh/id'],
])('%s: a flag that names the key %s, in the folder of the command, becomes %s', (config, value, written) => {
  const { identity } = placePaths(given(value), config, cwd);
  expect(identity).toEqual({ value: written, origin: flag });
  // From wherever it is read again, it is the same file.
  const found = findPlaced(identity?.value ?? '', `/home/ada/work/${config}`.replace(/^.*\/\//, '/'), home);
  expect(found).toBe(value.startsWith('~') ? `${home}${value.slice(1)}` : resolveIn(value));
});

const resolveIn = (value: string) =>
  value.startsWith('/') ? value : `${cwd}/${value.replace('./keys/../', '')}`;

it('takes what the configuration says as it is', () => {
  const file: Answers = {
    identity: { value: 'key', origin: { from: 'file', path: 'mail/smtp-setup.yaml' } },
  };
  expect(placePaths(file, 'mail/smtp-setup.yaml', cwd)).toEqual(file);
  expect(placePaths({}, 'smtp-setup.yaml', cwd)).toEqual({});
});

it('places the trust anchor, too, which the configuration goes on to name', () => {
  const origin = { from: 'env', name: 'SMTP_SETUP_TRUST_ANCHOR' } as const;
  const placed = placePaths({ trustAnchor: { value: 'root.key', origin } }, 'mail/smtp-setup.yaml', cwd);
  expect(placed).toEqual({ trustAnchor: { value: '../root.key', origin } });
});
