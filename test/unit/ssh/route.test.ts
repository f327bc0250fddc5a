import { describe, expect, it } from 'vitest';
import type { TargetParts } from '../../../src/lib/ssh-target.js';
import { parseConfigLines } from '../../../src/ssh/config-lines.js';
import { evaluateSshConfig } from '../../../src/ssh/host-settings.js';
import { planRoute } from '../../../src/ssh/route.js';

const local = { homeDir: '/h', user: 'me', uid: 1, hostname: 'l', systemDir: '/e' };
function route(target: string, config: string): string[] {
  const { lines } = parseConfigLines(config, 'config');
  const settingsFor = (parts: TargetParts) => evaluateSshConfig(parts, [lines], local);
  return planRoute(target, settingsFor).map(({ user, host, port }) => `${user}@${host}:${port}`);
}

describe('planRoute', () => {
  it('goes straight without ProxyJump', () => {
    expect(route('box', '')).toEqual(['me@box:22']);
  });

  it('passes a list of hops in order, each looked up in the configuration', () => {
    const config = 'Host box\nProxyJump a,root@b:2222\nHost a\nHostName a.example\nUser hop\n';
    expect(route('box', config)).toEqual(['hop@a.example:22', 'root@b:2222', 'me@box:22']);
  });

  it('lets the first hop have a jump host of its own', () => {
    expect(route('box', 'Host box\nProxyJump a\nHost a\nProxyJump b\n')).toEqual([
      'me@b:22',
      'me@a:22',
      'me@box:22',
    ]);
    expect(route('box', 'Host box\nProxyJump a,c\nHost a\nProxyJump b\nHost c\nProxyJump d\n')).toEqual([
      'me@b:22',
      'me@a:22',
      'me@c:22',
      'me@box:22',
    ]);
  });

  it('stops at a circle', () => {
    expect(() => route('box', 'Host box\nProxyJump a\nHost a\nProxyJump box\n')).toThrow(
      expect.objectContaining({ code: 'E_SSH_JUMP_LOOP', exit: 2, evidence: ['box → a → box'] }),
    );
  });

  it('refuses a hop that is an option', () => {
    expect(() => route('box', 'Host box\nProxyJump -oProxyCommand=x\n')).toThrow(
      expect.objectContaining({ code: 'E_SSH_TARGET' }),
    );
  });
});
