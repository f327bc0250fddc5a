import type { ReceiverNames } from './names.js';

export interface PostfixOptions extends ReceiverNames {
  ipv6: boolean;
}

/** Where everything for the domain is stored, inside the host. */
export const mailRoot = '/var/mail/receiver';
export const mailLog = '/var/log/mail.log';
/** Owner of stored mail and of the echo program. */
export const mailUser = { name: 'mailbox', id: 5000 } as const;
export const dmarcMilter = 'inet:127.0.0.1:11332';

/** main.cf of the receiving server (postconf(5), Postfix 3.7). */
export function renderMainCf({ domain, host, ipv6 }: PostfixOptions): string {
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    maillog_file: mailLog,
    myhostname: host,
    myorigin: domain,
    mydestination: '',
    mynetworks: '127.0.0.0/8 [::1]/128',
    inet_interfaces: 'all',
    inet_protocols: ipv6 ? 'all' : 'ipv4',
    smtpd_banner: '$myhostname ESMTP',
    // Every address of the domain exists and is one mailbox; a rehearsal's mail must not bounce on a typing error.
    virtual_mailbox_domains: domain,
    virtual_mailbox_base: mailRoot,
    virtual_mailbox_maps: 'regexp:{{/./ inbox/}}',
    virtual_uid_maps: `static:${mailUser.id}`,
    virtual_gid_maps: `static:${mailUser.id}`,
    virtual_alias_maps: `inline:{ {echo@${domain} = echo-copy@${domain}, echo-reply@${domain}} }`,
    transport_maps: `inline:{ {echo-reply@${domain} = echo:} }`,
    echo_destination_recipient_limit: '1',
    // Mailboxes that behave badly on purpose.
    smtpd_recipient_restrictions: `check_recipient_access inline:{ {full@${domain} = 452 4.2.2 Mailbox full} {nobody@${domain} = 550 5.1.1 User unknown} }`,
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_data_restrictions: 'reject_unauth_pipelining',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: '/lab/tls/server.pem',
    smtpd_tls_key_file: '/lab/tls/server.key',
    smtpd_tls_received_header: 'yes',
    smtp_tls_security_level: 'may',
    smtp_tls_CAfile: '/lab/tls/ca.pem',
    smtp_tls_loglevel: '1',
    smtpd_milters: dmarcMilter,
    non_smtpd_milters: dmarcMilter,
    milter_default_action: 'tempfail',
    internal_mail_filter_classes: 'bounce',
    // Whoever rehearses greylisting or a stopped server does not want to wait for the usual minutes.
    minimal_backoff_time: '5s',
    maximal_backoff_time: '20s',
    queue_run_delay: '5s',
    maximal_queue_lifetime: '1h',
    bounce_queue_lifetime: '1h',
    smtp_connect_timeout: '10s',
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`.trimEnd())
    .join('\n')}\n`;
}

const services = [
  'smtp inet n - n - - smtpd',
  'pickup unix n - n 60 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 300 1 qmgr',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'verify unix - - n - 1 verify',
  'flush unix n - n 1000? 0 flush',
  'proxymap unix - - n - - proxymap',
  'smtp unix - - n - - smtp',
  'relay unix - - n - - smtp',
  'showq unix n - n - - showq',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'discard unix - - n - - discard',
  'virtual unix - n n - - virtual',
  'anvil unix - - n - 1 anvil',
  'scache unix - - n - 1 scache',
  'postlog unix-dgram n - n - 1 postlogd',
];

/** master.cf of the receiving server: nothing runs in a chroot, and `echo` answers mail. */
export function renderMasterCf(): string {
  const echo = [
    'echo unix - n n - - pipe',
    `  flags=DRXhu user=${mailUser.name} argv=/usr/bin/python3 /lab/echo.py \${sender} \${original_recipient}`,
  ];
  return `${[...services, ...echo].join('\n')}\n`;
}
