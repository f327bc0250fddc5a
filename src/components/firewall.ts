import type { ManagedFile } from '../plan/step.js';
import type { Component, ExtraStep } from './component.js';
import type { FirewallModel, ServerModel } from './model.js';
import type { Render } from './render.js';

const id = 'firewall';
const unit = 'smtp-setup-firewall.service';

/** Until somebody has logged in with the new rules, they go by themselves. */
const deadManSeconds = 180;

/** Lets in what `services` serve, SSH, and what was there before us. */
export function createFirewall(render: Render, services: readonly Component[]): Component {
  const ports = (model: ServerModel) =>
    [...new Set(services.filter((one) => one.applies(model)).flatMap((one) => [...one.ports(model)]))].sort(
      (a, b) => a - b,
    );
  const hasFiles = ({ kind }: FirewallModel) => kind === 'own' || kind === 'chains';
  return {
    id,
    title: 'firewall (nftables)',
    needs: [],
    applies: () => true,
    packages: ({ firewall }) => (hasFiles(firewall) ? ['nftables'] : []),
    files: (model) => {
      const { firewall } = model;
      if (firewall.kind === 'own') {
        return [
          file(
            '/etc/smtp-setup/firewall.nft',
            render('firewall/firewall.nft', describe(firewall, ports(model))),
          ),
          file(`/etc/systemd/system/${unit}`, render('firewall/table.service', {})),
        ];
      }
      if (firewall.kind === 'chains') {
        const chains = firewall.chains.map(({ family, table, chain }) => `${family} ${table} ${chain}`);
        return [
          file(
            '/etc/smtp-setup/firewall-additions',
            render('firewall/additions', { ports: ports(model).join(' '), chains }),
            '0755',
          ),
          file(`/etc/systemd/system/${unit}`, render('firewall/additions.service', {})),
        ];
      }
      return [];
    },
    units: ({ firewall }) => (hasFiles(firewall) ? [{ name: unit, onChange: 'reload' }] : []),
    unitFiles: [unit],
    ports: () => [],
    watch: [
      '/etc/smtp-setup/firewall.nft',
      '/etc/smtp-setup/firewall-additions',
      `/etc/systemd/system/${unit}`,
    ],
    validate: ({ firewall }) => {
      if (firewall.kind === 'own')
        return [
          { fn: 'firewall_validate', args: [] },
          { fn: 'firewall_arm', args: [String(deadManSeconds)] },
        ];
      if (firewall.kind === 'chains') return [{ fn: 'firewall_disarm', args: [] }];
      return [{ fn: 'firewall_retire', args: [] }];
    },
    probe: (model) => {
      const { kind } = model.firewall;
      if (kind === 'own')
        return [
          { fn: 'firewall_arm', args: [String(deadManSeconds)] },
          { fn: 'firewall_probe', args: [...model.firewall.ssh, ...ports(model)].map(String) },
        ];
      return kind === 'chains' ? [{ fn: 'firewall_probe_chains', args: ports(model).map(String) }] : [];
    },
    steps: ({ firewall, ...model }) => stepsOf(firewall, ports({ firewall, ...model })),
  };
}

function stepsOf(firewall: FirewallModel, ports: readonly number[]): ExtraStep[] {
  const { kind, open, active, loaded, unproven } = firewall;
  const step = (
    name: string,
    title: string,
    reason: string,
    fn: string,
    args: readonly string[],
  ): ExtraStep => ({
    id: `${id}-${name}`,
    run: 'install',
    after: 'services',
    title,
    reason,
    calls: [{ fn, args }],
  });
  const missing = ports.filter((port) => !open.includes(port));
  if (kind === 'ufw' || kind === 'firewalld') {
    if (missing.length === 0) return [];
    return [
      step(
        'open',
        `Open ${missing.join(', ')} in ${kind}`,
        `${kind} is active; rules are added there`,
        `firewall_open_${kind}`,
        missing.map(String),
      ),
    ];
  }
  const args = [String(deadManSeconds)];
  if (kind === 'own' && unproven)
    return [
      step(
        'keep',
        'Keep the firewall rules',
        'nobody has logged in since they changed',
        'firewall_keep',
        args,
      ),
    ];
  if (kind === 'own' && active && !loaded)
    return [step('load', 'Load the firewall rules', 'our table is not in the kernel', 'firewall_load', args)];
  if (kind === 'chains' && active && missing.length > 0)
    return [
      step('load', 'Load the firewall rules', `${missing.join(', ')} are not open`, 'firewall_load', args),
    ];
  return [];
}

function describe({ ssh, kept }: FirewallModel, ports: readonly number[]) {
  const known = [...ssh, ...ports].map((port) => `tcp/${port}`);
  const foreign = kept.filter((one) => !known.includes(one));
  const others = (protocol: string) =>
    foreign.filter((one) => one.startsWith(`${protocol}/`)).map((one) => one.slice(protocol.length + 1));
  return {
    ssh: ssh.join(', '),
    ports: ports.join(', '),
    kept: foreign.join(', ') || 'nothing else',
    tcp: others('tcp').join(', '),
    udp: others('udp').join(', '),
  };
}

function file(path: string, content: string, mode = '0644'): ManagedFile {
  return { path, mode, owner: 'root:root', content, group: id };
}
