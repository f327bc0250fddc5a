import type { Dmi } from '../facts/dmi.js';

/** What a VPS provider does with outgoing port 25, and where its customers set the PTR. */
export interface HostingProvider {
  id: string;
  name: string;
  /** One of these must match the named DMI field (or cloud-init's platform name). */
  marks: readonly (readonly [field: keyof Dmi, pattern: RegExp])[];
  /** How outgoing port 25 is opened there. */
  port25: string;
  /** Where the PTR (reverse DNS) is set. */
  ptr: string;
}

/** Recognised by what their firmware calls itself. A new provider is one entry here. */
export const hostingProviders: readonly HostingProvider[] = [
  {
    id: 'hetzner',
    name: 'Hetzner Cloud',
    marks: [
      ['vendor', /^Hetzner/],
      ['cloud', /^hetzner$/],
    ],
    port25:
      'Hetzner Cloud blocks ports 25 and 465 for new accounts. Once the first invoice is paid, ask for it in the console: Limits, "Request unblocking of mail ports".',
    ptr: 'Hetzner console: the server, tab Networking, at the IP address: "Edit reverse DNS".',
  },
  {
    id: 'digitalocean',
    name: 'DigitalOcean',
    marks: [
      ['vendor', /^DigitalOcean/],
      ['cloud', /^digitalocean$/],
    ],
    port25:
      'DigitalOcean blocks SMTP on new accounts and seldom opens it: ask its support; if it declines, relay through a hosted provider on port 587 or 2525.',
    ptr: 'DigitalOcean takes the PTR from the Droplet name: rename the Droplet to the full host name.',
  },
  {
    id: 'vultr',
    name: 'Vultr',
    marks: [
      ['vendor', /^Vultr/],
      ['cloud', /^vultr$/],
    ],
    port25: 'Vultr blocks port 25 by default: open a support ticket and say what the server will send.',
    ptr: 'Vultr portal: the instance, Settings, IPv4 (and IPv6), "Reverse DNS".',
  },
  {
    id: 'akamai',
    name: 'Akamai (Linode)',
    marks: [
      ['vendor', /^(Linode|Akamai)/],
      ['cloud', /^(linode|akamai)$/],
    ],
    port25:
      'Akamai (Linode) blocks ports 25, 465 and 587 on accounts made since November 2019: set the A record and the PTR first, then open a support ticket.',
    ptr: 'Cloud Manager: the Linode, tab Network, at the address: "Edit RDNS" (the A record must exist first).',
  },
  {
    id: 'aws',
    name: 'Amazon EC2',
    marks: [
      ['vendor', /^Amazon EC2/],
      ['bios', /^Amazon EC2/],
      ['cloud', /^aws$/],
    ],
    port25:
      'Amazon EC2 blocks outgoing port 25: sign in as the root user and send the form "Request to remove email sending limitations"; the same form sets the PTR of an Elastic IP.',
    ptr: 'EC2 console: Elastic IPs, Actions, "Update reverse DNS" (the A record must exist first).',
  },
  {
    id: 'google',
    name: 'Google Compute Engine',
    marks: [
      ['vendor', /^Google/],
      ['product', /^Google Compute Engine/],
      ['cloud', /^gce$/],
    ],
    port25:
      'Google Compute Engine blocks outgoing port 25 and does not open it: relay through a hosted provider on port 587 or 2525.',
    ptr: 'Google Cloud console: VM instance, Edit, network interface, "Public DNS PTR record" (prove the domain first).',
  },
  {
    id: 'azure',
    name: 'Microsoft Azure',
    marks: [
      ['asset', /^7783-7084-3265-9085-8269-3286-77$/],
      ['cloud', /^azure$/],
    ],
    port25:
      'Azure blocks outgoing port 25 except for Enterprise Agreement subscriptions; free, student and Visual Studio subscriptions are never opened. Relay through a hosted provider on port 587.',
    ptr: 'Azure: the public IP address resource, property "reverse FQDN".',
  },
  {
    id: 'oracle',
    name: 'Oracle Cloud',
    marks: [
      ['asset', /^OracleCloud\.com$/],
      ['cloud', /^oracle$/],
    ],
    port25:
      'Oracle Cloud blocks outgoing port 25 for new tenancies: send a service limit request to be exempted, or relay on port 587.',
    ptr: 'Oracle Cloud: open a support request that names the address and the host name.',
  },
  {
    id: 'scaleway',
    name: 'Scaleway',
    marks: [
      ['vendor', /^Scaleway/],
      ['cloud', /^scaleway$/],
    ],
    port25:
      'Scaleway blocks SMTP in the security group: switch "Enable SMTP" on there, then restart the instance.',
    ptr: 'Scaleway console: the flexible IP, "Edit reverse DNS".',
  },
  {
    id: 'upcloud',
    name: 'UpCloud',
    marks: [
      ['vendor', /^UpCloud/],
      ['cloud', /^upcloud$/],
    ],
    port25: 'UpCloud blocks port 25 for trial accounts: make the first deposit, or ask its support.',
    ptr: 'UpCloud panel: the server, tab Network, at the address: "Reverse DNS name".',
  },
  {
    id: 'netcup',
    name: 'netcup',
    marks: [['vendor', /^netcup/i]],
    port25:
      'netcup filters outgoing mail on some plans: look at the firewall in the server control panel, or ask its support.',
    ptr: 'netcup server control panel: Network, at the address: "rDNS".',
  },
  {
    id: 'alibaba',
    name: 'Alibaba Cloud',
    marks: [
      ['vendor', /^Alibaba Cloud/],
      ['cloud', /^aliyun$/],
    ],
    port25:
      'Alibaba Cloud blocks outgoing port 25: apply in the console, "Port 25 unblocking", or relay on port 465 or 587.',
    ptr: 'Alibaba Cloud: open a ticket that names the address and the host name.',
  },
];

/** What can be said where the provider is not recognised. */
export const unknownHosting = {
  port25:
    'Ask your VPS provider to open outgoing TCP port 25 (most do on request, some once an invoice is paid). If it declines, relay through a hosted provider on port 587 or 2525.',
  ptr: 'Set it in your VPS provider\'s panel ("reverse DNS", "PTR" or "rDNS"), or ask its support.',
} as const;

/** The provider that the firmware names; undefined when it does not (generic QEMU or OpenStack). */
export function recogniseHosting(dmi: Dmi): HostingProvider | undefined {
  return hostingProviders.find(({ marks }) => marks.some(([field, pattern]) => pattern.test(dmi[field])));
}
