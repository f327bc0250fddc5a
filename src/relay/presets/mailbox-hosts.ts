import type { RelayPreset } from '../preset.js';

const read = '2026-11-29';
const both = ['PLAIN', 'LOGIN'] as const;

/** Where people have their mailboxes: meant for persons, with limits a day that a program soon meets. */
export const mailboxHosts: readonly RelayPreset[] = [
  {
    id: 'gmail',
    title: 'Gmail (one account)',
    aliases: ['google'],
    host: 'smtp.gmail.com',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
    ],
    login: {
      user: 'the full address of the account',
      password: 'an app password of 16 letters (needs 2-step verification); not the password of the account',
      mechanisms: both,
    },
    spf: {
      include: '_spf.google.com',
      why: 'Google sends with the envelope of your domain when it is one of the account.',
    },
    dkim: {
      ours: 'unknown',
      advice:
        'Google replaces the sender by the address of the account unless it is an alias there ("Send mail as").',
    },
    limits: '500 recipients a day (2,000 in Google Workspace).',
    source: {
      url: 'https://support.google.com/a/answer/166852',
      read,
      unconfirmed: ['whether a signature of ours survives'],
    },
  },
  {
    id: 'google-relay',
    title: 'Google Workspace SMTP relay',
    aliases: ['google-workspace', 'gsuite', 'workspace'],
    host: 'smtp-relay.gmail.com',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
    ],
    login: {
      user: 'the full address of a user of the organisation',
      password: 'an app password of that user',
      mechanisms: both,
    },
    spf: { include: '_spf.google.com', why: 'Google sends with the envelope of your domain.' },
    dkim: {
      ours: 'unknown',
      advice:
        'Ours stays on the message; Gmail can sign for the domain as well (Admin console, Authenticate email).',
    },
    limits:
      '10,000 messages a day and user; the organisation 4.6 million recipients a day at most, less for small ones.',
    notes: [
      'Switch the relay on in the Admin console: Gmail, Routing, SMTP relay service, with TLS and SMTP authentication required.',
    ],
    source: {
      url: 'https://support.google.com/a/answer/2956491',
      read,
      unconfirmed: ['whether a signature of ours survives'],
    },
  },
  {
    id: 'outlook',
    title: 'Microsoft 365 (Exchange Online)',
    aliases: ['office365', 'microsoft', 'microsoft365', 'm365', 'exchange'],
    host: 'smtp.office365.com',
    ports: [{ port: 587, tls: 'starttls' }],
    login: {
      user: 'the full address of the mailbox',
      password: 'its password, where the tenant still lets passwords in',
      mechanisms: ['LOGIN'],
    },
    spf: { include: 'spf.protection.outlook.com', why: 'Microsoft sends with the envelope of your domain.' },
    dkim: {
      ours: 'unknown',
      advice:
        'Microsoft may change the message on its way: switch its own DKIM for the domain on (Defender portal), too.',
    },
    limits: '10,000 recipients a day and 30 messages a minute a mailbox.',
    notes: [
      'Microsoft is retiring passwords for SMTP: off by default for existing tenants from the end of December 2026, and a later day for all (error 550 5.7.30). Take a transactional provider for anything that has to last.',
      'SMTP AUTH must be enabled for the mailbox, and security defaults must not forbid it.',
    ],
    source: {
      url: 'https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission',
      read,
      unconfirmed: ['the days on which passwords end, which were moved several times'],
    },
  },
  {
    id: 'zoho',
    title: 'Zoho Mail',
    host: 'smtp.zoho.{region}',
    regions: { parts: { com: 'com', eu: 'eu', in: 'in', au: 'com.au', jp: 'jp' }, default: 'com' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
    ],
    login: {
      user: 'the full address of the mailbox',
      password: 'an application-specific password',
      mechanisms: both,
    },
    spf: { include: 'zohomail.com', why: 'Zoho sends with the envelope of your domain.' },
    dkim: {
      ours: 'unknown',
      advice: 'The sender must be the mailbox or one of its aliases; Zoho signs for the domain as well.',
    },
    limits: 'By plan, a few hundred messages a day.',
    source: {
      url: 'https://www.zoho.com/mail/help/zoho-smtp.html',
      read,
      unconfirmed: ['the SPF entry outside the region com', 'whether a signature of ours survives'],
    },
  },
];
