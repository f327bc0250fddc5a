import { describe, expect, it } from 'vitest';
import { explainAnswer } from '../../../src/logs/explain.js';

describe('explainAnswer knows what receivers say', () => {
  it.each([
    [
      "550-5.7.32 Your email has been blocked because the From: header (RFC5322) isn't aligned",
      'gmail-not-aligned',
    ],
    [
      '421-4.7.32 Your email has been rate limited because the From: header is not aligned',
      'gmail-not-aligned',
    ],
    [
      "550-5.7.40 Your email has been blocked because the sender's domain has no DMARC record - gsmtp",
      'gmail-no-dmarc',
    ],
    ['550-5.7.30 Your email has been blocked because DKIM did not pass', 'gmail-no-spf-or-dkim'],
    [
      '421-4.7.29 Your email has been rate limited because this message was not sent over TLS; requires a TLS connection',
      'gmail-tls',
    ],
    [
      '552-5.7.0 This message was blocked because its content presents a potential security issue.',
      'gmail-content-blocked',
    ],
    [
      '450-4.2.1 The user you are trying to contact is receiving mail too quickly.',
      'gmail-recipient-too-fast',
    ],
    ['550-5.7.1 Messages missing a valid Message-ID header are not accepted.', 'malformed-message'],
    ['550-5.2.1 The email account that you tried to reach is disabled.', 'mailbox-disabled'],
    ['451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)', 'outlook-busy'],
    ['451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited (S775)', 'outlook-throttled'],
    [
      '550 5.7.511 Access denied, banned sender[192.0.2.1]. To request removal forward this message',
      'outlook-banned-sender',
    ],
    ['550 5.7.606 Access denied, banned sending IP [192.0.2.1]', 'outlook-blocked'],
    [
      '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.',
      'outlook-new-range',
    ],
    ['550 5.7.64 TenantAttribution; Relay Access Denied', 'outlook-relay-tenant'],
    ['550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup', 'outlook-members-only'],
    ['550 5.4.1 Recipient address rejected: Access denied. AS(201806281)', 'outlook-unknown-user'],
    [
      '554 5.2.122 The recipient has exceeded their limit for the number of messages; message-per-hour receive limit',
      'recipient-limit-per-hour',
    ],
    [
      '554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes',
      'yahoo-policy',
    ],
    [
      "554 delivery error: dd This user doesn't have a yahoo.com account (a@b.example) [0]",
      'yahoo-unknown-user',
    ],
    ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', 'yahoo-deferred'],
    [
      '554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com',
      'apple-policy',
    ],
    [
      '554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tobr@rx.t-online.de to clarify.)',
      't-online-not-known',
    ],
    [
      '554-gmx.net (mxgmx016) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is black listed.',
      'gmx-policy',
    ],
    ['421 mwinf5c04 ME Too many connections, slow down. OFR004_104 [104]', 'orange-slow-down'],
    ['550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]', 'orange-blocked'],
    [
      '554 resimta-po-01v.sys.comcast.net 192.0.2.1 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000',
      'comcast',
    ],
    ['553 5.3.0 flph123 DNSBL:ATTRBL 521< 192.0.2.1 >_is_blocked. forward to abuse_rbl@abuse-att.net', 'att'],
    ['550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=x', 'mail-ru'],
    ['550 Mail content denied. https://service.mail.qq.com/detail/0/179', 'qq-netease'],
    ['554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1', 'proofpoint'],
    [
      '550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550',
      'mimecast',
    ],
    ['550 5.7.1 [192.0.2.1] blocked, see http://csi.cloudmark.com/reset-request/', 'cloudmark'],
    [
      "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation (senderbase)",
      'cisco-talos',
    ],
    [
      '554 5.7.1 Client host blocked; Error: open resolver; https://check.spamhaus.org/returnc/pub/1.1.1.1/ (127.255.255.254)',
      'block-list-query-refused',
    ],
    ['550 5.7.1 Client host [192.0.2.1] blocked using b.barracudacentral.org', 'barracuda'],
    ['554 Blocked - see https://www.spamcop.net/bl.shtml?192.0.2.1', 'spamcop'],
    ['550 listed by Abusix: https://lookup.abusix.com/192.0.2.1', 'abusix'],
    ['550 Your host is listed at dnsbl-1.uceprotect.net', 'uceprotect'],
    ['550 5.7.1 Message contains a URL listed by SURBL', 'bad-link'],
    ['554 5.4.6 Too many hops', 'loop'],
    ['554 5.4.14 Hop count exceeded - possible mail loop ATTR34', 'loop'],
    ['452 4.5.3 Too many recipients', 'too-many-recipients'],
    ['421 4.7.0 Too many concurrent SMTP connections', 'too-many-connections'],
    ['550 5.1.8 <a@b.example>: Sender address rejected: Domain not found', 'sender-domain'],
    ['550 Sender verify failed', 'sender-domain'],
    ['450 4.7.1 <mail>: Helo command rejected: Host not found', 'helo-rejected'],
    ['550 5.7.23 The message was rejected because of Sender Policy Framework violation', 'spf-failed'],
    ['550 5.7.20 No passing DKIM signature found', 'dkim-failed'],
    ['554 5.7.1 Message rejected: virus found', 'virus'],
    ['550 Mailbox suspended', 'mailbox-disabled'],
    ['452 4.3.1 Insufficient system storage', 'receiver-full'],
    ['451 4.3.2 Temporary local problem - please try later', 'receiver-in-trouble'],
    ['550 4.4.7 QUEUE.Expired; message expired', 'expired'],
    ['550 5.6.7 SMTPUTF8 is required, but was not offered', 'non-ascii-address'],
    ['450 4.7.23 The IP address sending this message does not have a matching PTR', 'no-ptr'],
  ])('%s', (answer, id) => {
    const explanation = explainAnswer(answer);
    expect(explanation?.id).toBe(id);
    expect(explanation?.todo.length).toBeGreaterThan(0);
  });

  it('looks at the beginning of an answer only, however long somebody made it', () => {
    expect(explainAnswer(`550 ${'x'.repeat(3000)} 5.7.26`)).toBeUndefined();
  });
});
