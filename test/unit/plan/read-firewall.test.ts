import { expect, test } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { freshFirewall, type ServerModel } from '../../../src/components/model.js';
import { createRenderer } from '../../../src/components/render.js';
import type { Firewall } from '../../../src/facts/firewall.js';
import { readFirewall } from '../../../src/plan/read-firewall.js';
import { releases } from '../../golden/server/releases.js';

const none: Firewall = { managed: [], ssh: [22], active: false, loaded: false, unproven: false, closing: [] };
const listeners = [
  { protocol: 'tcp', address: '0.0.0.0', port: 22, process: 'sshd' },
  { protocol: 'tcp', address: '*', port: 8080, process: 'java' },
  { protocol: 'tcp', address: '127.0.0.1', port: 6379, process: 'redis-server' },
  { protocol: 'tcp', address: '::1', port: 6379, process: 'redis-server' },
  { protocol: 'udp', address: '0.0.0.0', port: 68, process: 'dhclient' },
  { protocol: 'udp', address: '0.0.0.0', port: 51820 },
  { protocol: 'udp', address: '0.0.0.0', port: 40123, process: 'unbound' },
] as const;
const closing = [{ family: 'inet', table: 'filter', chain: 'input', opened: [25, 80] }] as const;

const templates = await loadTemplates();
const component = createComponents(createRenderer(templates)).find(({ id }) => id === 'firewall');
if (component === undefined) throw new Error('there is no firewall');
const modelWith = (firewall: Partial<ServerModel['firewall']>): ServerModel => ({
  ...(releases['debian-12'] as ServerModel),
  firewall: { ...freshFirewall, ...firewall },
});
const stepIds = (firewall: Partial<ServerModel['firewall']>) =>
  component.steps(modelWith(firewall)).map(({ id, title }) => `${id}: ${title}`);

test('what others serve stays open, as it was when our rules came', () => {
  expect(readFirewall({ firewall: none, listeners }, true)).toEqual({
    ...freshFirewall,
    kept: ['tcp/8080', 'udp/51820'],
  });
  const later = { ...none, kept: ['tcp/8080'], active: true, loaded: true };
  expect(readFirewall({ firewall: later, listeners }, true).kept).toEqual(['tcp/8080']);
});

test('a server where SSH listens elsewhere, or nobody could say where', () => {
  expect(readFirewall({ firewall: { ...none, ssh: [2222] }, listeners: [] }, true).ssh).toEqual([2222]);
  expect(readFirewall({ firewall: { ...none, ssh: [] }, listeners: [] }, true).ssh).toEqual([22]);
});

test('who filters already is added to; unwanted is unwanted', () => {
  expect(
    readFirewall({ firewall: { ...none, manager: 'ufw', managed: [25], closing }, listeners }, true),
  ).toMatchObject({ kind: 'ufw', open: [25] });
  expect(readFirewall({ firewall: { ...none, closing }, listeners }, true)).toMatchObject({
    kind: 'chains',
    chains: [{ family: 'inet', table: 'filter', chain: 'input' }],
    open: [25, 80],
  });
  expect(readFirewall({ firewall: { ...none, closing }, listeners }, false).kind).toBe('off');
});

test('where the kernel filters for nobody, nothing is planned that leans on it', () => {
  const refused = readFirewall(
    { firewall: { ...none, refused: 'Operation not permitted' }, listeners },
    true,
  );
  expect(refused).toMatchObject({ kind: 'off', usable: false });
  const guard = createComponents(createRenderer(templates)).find(({ id }) => id === 'fail2ban');
  expect(guard?.applies(modelWith({}))).toBe(true);
  expect(guard?.applies(modelWith(refused))).toBe(false);
  expect(component.files(modelWith(refused))).toEqual([]);
});

test('the rules hold what is kept, and never a port twice', () => {
  const model = modelWith({ ssh: [22, 2222], kept: ['tcp/25', 'tcp/8080', 'udp/51820'] });
  const [rules] = component.files(model);
  expect(rules?.content).toContain('# Kept open: tcp/8080, udp/51820\n');
  expect(rules?.content).toContain('tcp dport { 22, 2222 } accept');
  expect(rules?.content).toContain('tcp dport { 8080 } accept');
  expect(rules?.content).toContain('udp dport { 51820 } accept');
  expect(rules?.content).not.toMatch(/flush/);
});

test('steps appear when the kernel says something else than the files', () => {
  const ports = [25, 80, 443, 465, 587, 993, 4190];
  expect(stepIds({})).toEqual([]);
  expect(stepIds({ active: true, loaded: true })).toEqual([]);
  expect(stepIds({ active: true })).toEqual(['firewall-load: Load the firewall rules']);
  expect(stepIds({ active: true, loaded: true, unproven: true })).toEqual([
    'firewall-keep: Keep the firewall rules',
  ]);
  expect(stepIds({ kind: 'chains', active: true, open: ports.slice(1) })).toHaveLength(1);
  expect(stepIds({ kind: 'chains', active: true, open: ports })).toEqual([]);
  expect(stepIds({ kind: 'ufw', open: [25] })).toEqual([
    'firewall-open: Open 80, 443, 465, 587, 993, 4190 in ufw',
  ]);
  expect(stepIds({ kind: 'firewalld', open: ports })).toEqual([]);
  expect(stepIds({ kind: 'off' })).toEqual([]);
});

test('where another manager is in charge, none of our files are left', () => {
  for (const kind of ['ufw', 'firewalld', 'off'] as const) {
    const model = modelWith({ kind });
    expect([component.files(model), component.units(model), component.packages(model)]).toEqual([[], [], []]);
    expect(component.validate(model)).toEqual([{ fn: 'firewall_retire', args: [] }]);
  }
});

test('rules in the chains of others need no login that proves them: what waited for one is taken away', () => {
  expect(component.validate(modelWith({ kind: 'chains' }))).toEqual([{ fn: 'firewall_disarm', args: [] }]);
});
