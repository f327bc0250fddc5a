import type { World } from './world.js';

/** One call of the provider's API below the zone, e.g. `{ method: 'DELETE', path: '/dns_records/ID' }`. */
export interface ZoneCall {
  method: 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
}

/** What somebody else does to the zone, through the provider's own API; fails when a call fails. */
export async function callZone(world: World, zone: string, calls: readonly ZoneCall[]): Promise<void> {
  const program = `
    let input = '';
    for await (const chunk of process.stdin) input += chunk;
    const { zone: name, calls } = JSON.parse(input);
    const base = process.env.CLOUDFLARE_BASE_URL;
    const headers = { authorization: 'Bearer ' + process.env.CLOUDFLARE_API_TOKEN, 'content-type': 'application/json' };
    const call = async (path, method, body) => {
      const response = await fetch(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      const answer = await response.json();
      if (!answer.success) throw new Error(method + ' ' + path + ': ' + JSON.stringify(answer.errors));
      return answer.result;
    };
    const [zone] = await call('/zones?name=' + name, 'GET');
    for (const { method, path, body } of calls) await call('/zones/' + zone.id + path, method, body);`;
  const child = world.lab.client.spawn(
    process.execPath,
    ['--input-type=module', '-e', program],
    world.rehearsal.env,
  );
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stdin?.end(JSON.stringify({ zone, calls }));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`the zone ${zone} cannot be changed: ${said}`);
}

/** As many records at once as one batch takes. */
export async function addRecords(world: World, zone: string, records: readonly unknown[]): Promise<void> {
  const calls: ZoneCall[] = [];
  for (let at = 0; at < records.length; at += 200)
    calls.push({
      method: 'POST',
      path: '/dns_records/batch',
      body: { posts: records.slice(at, at + 200) },
    });
  await callZone(world, zone, calls);
}

/** Records of other people in all shapes that a zone of ten years has; `count` of them, none at a name of ours. */
export function oddRecords(zone: string, count: number): Record<string, unknown>[] {
  const odd: Record<string, unknown>[] = [
    ...['google-site-verification=abc', 'MS=ms123', 'v=spf2.0/pra ?all', ''].map((text) =>
      txt(zone, text || ' '),
    ),
    txt(zone, 'has "quotes", back\\slashes; semicolons and  two  spaces '),
    txt(`long.${zone}`, 'x'.repeat(1000)),
    txt(`unicode.${zone}`, 'grüße 漢字 \u{1f4ec}'),
    txt(`*.wild.${zone}`, 'wildcard'),
    { type: 'A', name: `*.wild.${zone}`, content: '198.51.100.200', ttl: 60 },
    {
      type: 'A',
      name: zone,
      content: '198.51.100.201',
      ttl: 1,
      proxied: true,
      comment: 'web site, do not touch',
    },
    { type: 'CNAME', name: `www.${zone}`, content: zone, ttl: 1, proxied: true },
    { type: 'CNAME', name: `xn--bcher-kva.${zone}`, content: 'shops.elsewhere.test', ttl: 3600 },
    { type: 'CNAME', name: `k1._domainkey.${zone}`, content: 'dkim.elsewhere.test', ttl: 3600 },
    { type: 'NS', name: `delegated.${zone}`, content: 'ns1.elsewhere.test', ttl: 3600 },
    { type: 'NS', name: `delegated.${zone}`, content: 'ns2.elsewhere.test', ttl: 3600 },
    { type: 'MX', name: `lists.${zone}`, content: 'mx.elsewhere.test', priority: 0, ttl: 3600 },
    {
      type: 'SRV',
      name: `_sip._tcp.${zone}`,
      data: { priority: 1, weight: 0, port: 5061, target: 'sip.elsewhere.test' },
      ttl: 3600,
    },
    {
      type: 'CAA',
      name: `shop.${zone}`,
      data: { flags: 128, tag: 'iodef', value: 'mailto:x@elsewhere.test' },
      ttl: 60,
    },
    {
      type: 'TLSA',
      name: `_443._tcp.www2.${zone}`,
      data: { usage: 3, selector: 1, matching_type: 1, certificate: 'ab'.repeat(32) },
      ttl: 3600,
    },
    { type: 'PTR', name: `ptr.${zone}`, content: 'elsewhere.test', ttl: 3600 },
  ];
  for (let index = odd.length; index < count; index += 1) {
    const name = `host-${index}.${zone}`;
    const kinds = [
      { type: 'A', name, content: `198.51.100.${index % 250}`, ttl: 60 + (index % 1000) },
      { type: 'AAAA', name, content: `2001:db8::${index.toString(16)}`, ttl: 3600, comment: `no. ${index}` },
      { type: 'CNAME', name, content: `target-${index}.elsewhere.test`, ttl: 3600 },
      txt(name, `token-${index}="${'z'.repeat(index % 300)}"`),
      { type: 'MX', name, content: `mx${index}.elsewhere.test`, priority: index % 100, ttl: 3600 },
    ];
    odd.push(kinds[index % kinds.length] ?? txt(name, 'x'));
  }
  return odd;
}

function txt(name: string, text: string): Record<string, unknown> {
  const bytes = Buffer.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 255) pieces.push(quote(bytes.subarray(at, at + 255)));
  return { type: 'TXT', name, content: pieces.join(' '), ttl: 3600 };
}

/** As zone files write it: what is not printable ASCII as \DDD (RFC 1035 section 5.1). */
function quote(bytes: Uint8Array): string {
  const text = [...bytes].map((byte) => {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') return `\\${char}`;
    return byte >= 32 && byte < 127 ? char : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${text.join('')}"`;
}
