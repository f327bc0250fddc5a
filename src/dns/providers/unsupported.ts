export interface UnsupportedProvider {
  title: string;
  nameServers: readonly RegExp[];
  /** A sentence; {@link notWrittenYet} when absent. */
  why?: string;
}

export const notWrittenYet = 'Its API is not spoken here yet.';

/** Providers that are recognised so that the user is told by name that records will be printed, not written. */
export const unsupportedProviders: readonly UnsupportedProvider[] = [
  { title: 'Azure DNS', nameServers: [/^ns\d-\d+\.azure-dns\.(com|net|org|info)$/] },
  { title: 'bunny.net', nameServers: [/\.bunny\.net$/] },
  { title: 'deSEC', nameServers: [/^ns\d\.desec\.(io|org)$/] },
  { title: 'DNSimple', nameServers: [/\.dnsimple(-edge)?\.(com|org|net|eu)$/] },
  { title: 'DNS Made Easy', nameServers: [/\.dnsmadeeasy\.com$/] },
  { title: 'Dynadot', nameServers: [/\.dyna-ns\.net$/] },
  { title: 'Gandi', nameServers: [/\.gandi\.net$/] },
  {
    title: 'GoDaddy',
    nameServers: [/\.domaincontrol\.com$/],
    why: 'It gives API access only to accounts with ten or more domains or a paid plan.',
  },
  { title: 'Google Cloud DNS', nameServers: [/^ns-cloud-[a-z]\d\.googledomains\.com$/] },
  {
    title: 'Hetzner (konsoleH and Robot)',
    nameServers: [/\.your-server\.de$/, /\.first-ns\.de$/],
    why: 'Only the zones of the Hetzner Console have an API.',
  },
  { title: 'Hostinger', nameServers: [/\.dns-parking\.com$/] },
  { title: 'INWX', nameServers: [/\.inwx\.(de|com|eu|net)$/] },
  { title: 'IONOS', nameServers: [/\.ui-dns\.(com|de|org|biz)$/] },
  { title: 'Linode', nameServers: [/^ns\d\.linode\.com$/] },
  {
    title: 'Namecheap',
    nameServers: [/\.registrar-servers\.com$/],
    why: 'Its API takes only calls from addresses that are listed there, from accounts that qualify, and replaces the whole zone with each.',
  },
  { title: 'Name.com', nameServers: [/^ns\d[a-z]+\.name\.com$/] },
  { title: 'netcup', nameServers: [/\.dns\.netcup\.net$/] },
  { title: 'NS1', nameServers: [/\.nsone\.net$/] },
  { title: 'OVHcloud', nameServers: [/\.ovh\.(net|ca)$/, /\.anycast\.me$/] },
  { title: 'Porkbun', nameServers: [/\.porkbun\.com$/] },
  { title: 'Squarespace', nameServers: [/\.squarespacedns\.com$/] },
  { title: 'STRATO', nameServers: [/\.rzone\.de$/] },
  { title: 'Vercel', nameServers: [/^ns\d\.vercel-dns\.com$/] },
  { title: 'Vultr', nameServers: [/^ns\d\.vultr\.com$/] },
  { title: 'Wix', nameServers: [/\.wixdns\.net$/] },
];
