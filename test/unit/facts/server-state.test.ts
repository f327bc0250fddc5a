import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseManifest, parseResult, serverState } from '../../../src/facts/server-state.js';

const fixture = new URL('fixtures/debian-12-postfix.json', import.meta.url);
const recorded = JSON.parse(readFileSync(fixture, 'utf8')).state;
const hash = 'a'.repeat(64);

describe('server state', () => {
  it('reads the manifest and the last runs as they were recorded', () => {
    const state = serverState.parse(recorded);
    expect(state.manifest).toMatchObject({ schema: 1, generation: 3 });
    expect(state.runs.map(({ name, who, result }) => [name, who, result?.code, result?.generation])).toEqual([
      ['install', 'tester@lab pid 18960', 0, 1],
      ['install', 'tester@lab pid 10247', 0, 2],
      ['install', 'tester@lab pid 19993', 0, 3],
    ]);
    expect(state.running).toBeUndefined();
    expect(state.pending).toEqual([]);
  });

  it('is empty on a server that was never touched', () => {
    expect(serverState.parse({ code: 0, stdout: '' })).toEqual({
      manifest: 'absent',
      generation: 0,
      pending: [],
      runs: [],
    });
  });

  it('names who holds the run that goes on, and groups whose change was never proven', () => {
    const stdout = [
      '@run 20261124T101500Z-install-7',
      'id=20261124T101500Z-install-7\nname=install\nwho=ada@laptop pid 7\ngeneration=3\nsince=1795493984',
      '@result',
      '@pending\npostfix\n@running\nActiveState=active\nDescription=smtp-setup run 20261124T101500Z-install-7\n',
    ].join('\n');
    const state = serverState.parse({ code: 0, stdout });
    expect(state.running).toEqual({
      id: '20261124T101500Z-install-7',
      name: 'install',
      who: 'ada@laptop pid 7',
      since: 1795493984,
    });
    expect(state.pending).toEqual(['postfix']);
    expect(state.runs[0]?.result).toBeUndefined();
  });

  it('knows the generation even of a manifest that cannot be read', () => {
    const stdout =
      '@pending\n@running\n@manifest\n{"schema":1,\n"generation":7,\n"files":[\n{"path":"/etc/x"';
    expect(serverState.parse({ code: 0, stdout })).toMatchObject({ manifest: 'corrupt', generation: 7 });
  });

  it('counts a unit that is just stopping as running', () => {
    const stdout = '@pending\n@running\nActiveState=deactivating\nDescription=smtp-setup run gone\n';
    expect(serverState.parse({ code: 0, stdout }).running).toEqual({
      id: 'gone',
      name: 'unknown',
      who: 'unknown',
    });
  });
});

describe('the manifest', () => {
  const entry = { path: '/etc/a', sha256: hash, mode: '0644', owner: 'root:root', group: 'a' };

  it('is read strictly', () => {
    expect(parseManifest(JSON.stringify({ schema: 1, generation: 2, files: [entry] }))).toEqual({
      schema: 1,
      generation: 2,
      files: [entry],
    });
    const bad = [
      '',
      '[]',
      '{"schema":1}',
      '{"schema":1,"generation":-1,"files":[]}',
      '{"schema":1,"generation":1,"files":{}}',
    ];
    for (const text of bad) expect(parseManifest(text)).toBe('corrupt');
    const forged = JSON.stringify({ schema: 1, generation: 1, files: [{ ...entry, sha256: '$(id)' }] });
    expect(parseManifest(forged)).toBe('corrupt');
  });

  it('of a newer schema is read as far as its generation', () => {
    expect(parseManifest('{"schema":9,"generation":4,"files":"elsewhere"}')).toEqual({
      schema: 9,
      generation: 4,
      files: [],
    });
  });
});

describe('a result', () => {
  it('needs its code and generation', () => {
    expect(parseResult('code=1\n')).toBeUndefined();
    expect(parseResult('code=1\ngeneration=x\n')).toBeUndefined();
    expect(
      parseResult('run=install\ncode=1\ngeneration=4\nchanged=1\nstep=2\nstep_id=x\nmessage=a=b c\n'),
    ).toMatchObject({
      code: 1,
      generation: 4,
      changed: true,
      step: 2,
      stepId: 'x',
      message: 'a=b c',
    });
  });
});
