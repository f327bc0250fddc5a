import type { RelayPreset } from '../preset.js';

const read = '2026-11-29';
const both = ['PLAIN', 'LOGIN'] as const;

const authenticate = (where: string): string =>
  `Ours stays on the message. Have the domain authenticated at the provider as well (${where}): its signature for your domain then counts even where tracking changes the body.`;

const zohoPlaces = { com: 'com', eu: 'eu', in: 'in', au: 'com.au', jp: 'jp' };

export const transactionalNToZ: readonly RelayPreset[] = [
  {
    id: 'netcore',
    title: 'Netcore Email API (formerly Pepipost)',
    aliases: ['pepipost'],
    host: 'smtp.netcorecloud.net',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      user: 'the SMTP user name of the page "SMTP/API info"',
      password: 'the SMTP password beside it',
      mechanisms: both,
    },
    spf: {
      why: 'The panel shows the SPF entry for your domain, which differs by account: give it with --spf-include.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Sending domains') },
    limits: 'By plan.',
    source: {
      url: 'https://netcore.freshdesk.com/support/solutions/articles/17000106272',
      read,
      unconfirmed: [
        'host name and ports, which other programs use but no page of theirs that could be read',
        'whether a signature of ours survives',
      ],
    },
  },
  {
    id: 'postmark',
    title: 'Postmark',
    host: 'smtp{region}.postmarkapp.com',
    regions: { parts: { transactional: '', broadcasts: '-broadcasts' }, default: 'transactional' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      user: "the server's API token",
      password:
        "the server's API token, the same again (a stream's SMTP token has two parts: give its access key with --user)",
      userIsPassword: true,
      mechanisms: both,
    },
    spf: {
      why: "Bounces go to Postmark's own domain, or a host below yours by CNAME; the domain itself needs no entry.",
    },
    dkim: {
      ours: 'broken',
      advice:
        'Postmark takes the message apart and builds it anew, so that ours counts no longer: publish the DKIM record of its domain page as well, or DMARC fails.',
    },
    limits: 'Free plan: 100 messages a month. Marketing mail only through the stream broadcasts.',
    source: { url: 'https://postmarkapp.com/developer/user-guide/send-email-with-smtp', read },
  },
  {
    id: 'resend',
    title: 'Resend',
    host: 'smtp.resend.com',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 2587, tls: 'starttls' },
      { port: 2465, tls: 'wrapper' },
    ],
    login: {
      fixedUser: 'resend',
      user: 'resend, for everybody',
      password: 'an API key',
      mechanisms: both,
    },
    spf: {
      why: 'Bounces go to send.YOURDOMAIN, whose records Resend has you publish; the domain itself needs no entry.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Domains') },
    limits: 'By plan.',
    source: {
      url: 'https://resend.com/docs/send-with-smtp',
      read,
      unconfirmed: ['whether a signature of ours survives'],
    },
  },
  {
    id: 'sendgrid',
    title: 'SendGrid (Twilio)',
    aliases: ['twilio'],
    host: 'smtp.{region}sendgrid.net',
    regions: { parts: { global: '', eu: 'eu.' }, default: 'global' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      fixedUser: 'apikey',
      user: 'apikey, this very word, for everybody',
      password: 'an API key (SG.…) with the right "Mail Send"',
      mechanisms: both,
    },
    spf: {
      include: 'sendgrid.net',
      why: 'Needed unless the domain is authenticated with automated security, where bounces go to a host below it.',
    },
    dkim: {
      ours: 'unknown',
      advice: `${authenticate('Sender Authentication')} Click tracking rewrites links and breaks ours: switch it off, or rely on theirs.`,
    },
    limits: 'Up to 5,000 messages a connection. By plan.',
    source: {
      url: 'https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api',
      read,
      unconfirmed: ['the host name of the EU region', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'sendlayer',
    title: 'SendLayer',
    host: 'smtp.sendlayer.net',
    ports: [{ port: 587, tls: 'starttls' }],
    login: { user: 'the SMTP user name of the account', password: 'its SMTP password', mechanisms: both },
    spf: {
      why: 'Bounces go to a host below your domain that SendLayer has you publish; the domain itself needs no entry.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Settings, Domains') },
    limits: 'By plan.',
    source: {
      url: 'https://sendlayer.com/docs/',
      read,
      unconfirmed: ['host name, port and login', 'the SPF entry', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'sendpulse',
    title: 'SendPulse',
    host: 'smtp-pulse.com',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      user: 'the login of the SMTP settings, an address',
      password: 'the SMTP password; not the one of the account',
      mechanisms: both,
    },
    spf: {
      include: 'mxsspf.sendpulse.com',
      why: 'SendPulse asks for its include when the domain is set up.',
    },
    dkim: { ours: 'unknown', advice: authenticate('SMTP, Domains') },
    limits: 'By plan.',
    source: {
      url: 'https://sendpulse.com/knowledge-base/smtp',
      read,
      unconfirmed: ['host name and ports', 'the SPF entry', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'smtp2go',
    title: 'SMTP2GO',
    host: 'mail{region}.smtp2go.com',
    regions: { parts: { global: '', us: '-us', eu: '-eu', au: '-au' }, default: 'global' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 2525, tls: 'starttls' },
      { port: 8025, tls: 'starttls' },
      { port: 8465, tls: 'wrapper' },
    ],
    login: {
      user: 'the SMTP user (Sending, SMTP Users)',
      password: 'its password',
      mechanisms: both,
    },
    spf: {
      why: 'SMTP2GO has you publish hosts below your domain (CNAME) for bounces; an older entry in its SPF can go.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Verified Senders') },
    limits: 'Free plan: 1,000 messages a month.',
    source: {
      url: 'https://developers.smtp2go.com/docs/smtp-relay',
      read,
      unconfirmed: ['whether a signature of ours survives'],
    },
  },
  {
    id: 'smtpcom',
    title: 'SMTP.com',
    aliases: ['smtp.com'],
    host: 'send.smtp.com',
    ports: [
      { port: 2525, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 587, tls: 'starttls' },
    ],
    login: {
      user: 'the user name of the sender (channel)',
      password: 'its password',
      mechanisms: both,
    },
    spf: { include: '_spf.smtp.com', why: 'SMTP.com asks for its include when a domain is added.' },
    dkim: { ours: 'unknown', advice: authenticate('the domain page') },
    limits: 'By plan.',
    source: {
      url: 'https://www.smtp.com/resources/',
      read,
      unconfirmed: ['host name and ports', 'the SPF entry', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'sparkpost',
    title: 'SparkPost (Bird)',
    aliases: ['bird', 'messagebird'],
    host: 'smtp.{region}sparkpostmail.com',
    regions: { parts: { us: '', eu: 'eu.' }, default: 'us' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      fixedUser: 'SMTP_Injection',
      user: 'SMTP_Injection, for everybody',
      password: 'an API key with the right "Send via SMTP"',
      mechanisms: ['LOGIN'],
    },
    spf: {
      why: "Bounces go to SparkPost's own domain, or a bounce domain below yours by CNAME; the domain itself needs no entry.",
    },
    dkim: {
      ours: 'unknown',
      advice: `${authenticate('Sending Domains')} Click tracking rewrites links and breaks ours.`,
    },
    limits: 'Up to 100 messages a connection.',
    notes: ['Subaccounts have a colon in their user name, which Postfix cannot carry.'],
    source: {
      url: 'https://developers.sparkpost.com/api/smtp/',
      read,
      unconfirmed: ['whether a signature of ours survives'],
    },
  },
  {
    id: 'zeptomail',
    title: 'Zoho ZeptoMail (Zoho CPaaS)',
    aliases: ['zoho-zeptomail'],
    host: 'smtp.zeptomail.{region}',
    regions: { parts: zohoPlaces, default: 'com' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
    ],
    login: {
      fixedUser: 'emailapikey',
      user: 'emailapikey, for everybody',
      password: 'the send mail token of the agent',
      mechanisms: both,
    },
    spf: {
      why: 'Bounces go to a host below your domain that Zoho has you publish (CNAME); the domain itself needs no entry.',
    },
    dkim: { ours: 'unknown', advice: authenticate('the domain page of the agent') },
    limits: 'By credits.',
    source: {
      url: 'https://www.zoho.com/zeptomail/help/smtp-home.html',
      read,
      unconfirmed: ['host names of the regions', 'whether a signature of ours survives'],
    },
  },
];
