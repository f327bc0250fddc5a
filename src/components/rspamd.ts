import type { Component } from './component.js';
import { luaString, postfixWord, uclString } from './escape.js';
import { dkimKeyPath, type ServerModel } from './model.js';
import type { Render } from './render.js';

/** Modules that would begin to work once there is Redis, and that nobody asked for. */
const unused = ['greylist.conf', 'ratelimit.conf', 'history_redis.conf', 'replies.conf', 'neural.conf'];

/**
 * What judges the mail of strangers, of whom a server that only sends hears nothing: it would take most of the memory, and
 * ask others for its lists.
 */
const judging = [
  'arc.conf',
  'asn.conf',
  'dmarc.conf',
  'forged_recipients.conf',
  'hfilter.conf',
  'maillist.conf',
  'mid.conf',
  'mime_types.conf',
  'multimap.conf',
  'once_received.conf',
  'phishing.conf',
  'rbl.conf',
  'spf.conf',
  'trie.conf',
  'whitelist.conf',
];

/** The names of sites that Rspamd finds in texts: the public list of suffixes alone takes 46 MB. */
const suffixesPath = '/etc/smtp-setup/rspamd-suffixes';

/** The milter: signs what leaves, judges what comes. */
export function createRspamd(render: Render): Component {
  return {
    id: 'rspamd',
    title: 'Rspamd (DKIM signing, spam filter, sending limits)',
    // The table of senders is read anew for each message: nothing of `accounts` must be there yet.
    needs: ['dkim', 'unbound', 'redis'],
    // Its first start compiles patterns for ten seconds and more.
    early: 1,
    applies: () => true,
    packages: () => ['rspamd'],
    files: (model) => {
      const signsOnly = model.profile === 'send-only';
      const fileAt = (path: string, content: string) => ({
        path,
        mode: '0644',
        owner: 'root:root',
        content,
        group: 'rspamd',
      });
      const file = (name: string, content: string) => fileAt(`/etc/rspamd/local.d/${name}`, content);
      const domains = render('rspamd/signing_domains', { domains: signingDomains(model) });
      const plain = (name: string, data: object = {}) => file(name, render(`rspamd/${name}`, data));
      return [
        plain('options.inc', { suffixes: signsOnly ? uclString(suffixesPath) : '' }),
        ...(signsOnly ? [fileAt(suffixesPath, render('rspamd/suffixes', {}))] : []),
        plain('logging.inc'),
        plain('worker-normal.inc'),
        plain('worker-controller.inc'),
        plain('worker-proxy.inc', { count: model.memory >= 3500 && !signsOnly ? 2 : 1 }),
        plain('settings.conf', { trusted: (model.trustedRelays ?? []).map(uclString) }),
        plain('redis.conf'),
        plain('dkim_signing.conf', { domains, ...signedHeaders(model) }),
        ...(signsOnly
          ? []
          : [plain('milter_headers.conf'), plain('arc.conf', { domains }), plain('dmarc.conf')]),
        plain('rspamd.lua', {
          senders: luaString('/etc/smtp-setup/maps/senders'),
          domains: luaString('/etc/smtp-setup/domains'),
          perHour: model.limits.perHour,
          perDay: model.limits.perDay,
          domainLimits: model.domains.flatMap(({ name, perDay }) =>
            perDay === undefined ? [] : [{ name: luaString(name), perDay }],
          ),
        }),
        ...[...unused, ...(signsOnly ? judging : [])].map((name) =>
          file(name, render('rspamd/off.conf', { name })),
        ),
      ];
    },
    // A restart of 3.12 takes 16 seconds and mail gets a 4xx meanwhile; a reload starts the new workers first. Without
    // filters it takes less than one, and two generations side by side would not fit into a small server.
    units: ({ profile }) => [
      { name: 'rspamd.service', onChange: profile === 'send-only' ? 'restart' : 'reload' },
    ],
    unitFiles: ['rspamd.service'],
    ports: () => [],
    watch: ['/etc/rspamd/local.d/*', suffixesPath],
    validate: () => [{ fn: 'rspamd_validate', args: [] }],
    probe: (model) => [
      { fn: 'rspamd_probe_guard', args: [] },
      { fn: 'rspamd_probe_limit', args: [] },
      ...model.domains.flatMap((domain) => {
        const selector = domain.live ? domain.selectors[0] : undefined;
        return selector === undefined ? [] : [{ fn: 'rspamd_probe_signing', args: [domain.name, selector] }];
      }),
    ],
    steps: () => [],
  };
}

/** Rspamd's own list (3.x), where `(o)` fields are signed twice so that none can be added, `(x)` once and only if there. */
const usualHeaders =
  '(o)from:(x)sender:(o)reply-to:(o)subject:(x)date:(x)message-id:(o)to:(o)cc:(x)mime-version:(x)content-type:(x)content-transfer-encoding:(x)content-language:resent-to:(x)resent-cc:(x)resent-from:(x)resent-sender:(x)resent-message-id:(x)in-reply-to:(x)references:list-id:list-help:list-owner:list-unsubscribe:list-unsubscribe-post:list-subscribe:list-post:(x)openpgp:(x)autocrypt';

function signedHeaders({ relays = [] }: ServerModel): { headers: string; rewrites: string } {
  const rewrites = [...new Set(relays.flatMap((relay) => relay.rewrites))];
  if (rewrites.length === 0) return { headers: '', rewrites: '' };
  const left = usualHeaders.split(':').filter((field) => !rewrites.includes(field.replace(/^\(.\)/, '')));
  return {
    headers: uclString(left.join(':')),
    rewrites: rewrites.map((field) => postfixWord(field)).join(', '),
  };
}

function signingDomains(model: ServerModel): { name: string; selector: string; path: string }[] {
  return model.domains.flatMap((domain) => {
    const selector = domain.selectors[0];
    if (!domain.live || selector === undefined) return [];
    return [
      {
        name: uclString(postfixWord(domain.name)),
        selector: uclString(selector),
        path: uclString(dkimKeyPath(domain.name, selector)),
      },
    ];
  });
}
