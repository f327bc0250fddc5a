import type { RelayPreset } from '../preset.js';

const read = '2026-11-29';
const standard = [
  { port: 587, tls: 'starttls' },
  { port: 465, tls: 'wrapper' },
  { port: 2525, tls: 'starttls' },
] as const;
const both = ['PLAIN', 'LOGIN'] as const;

const ownEnvelope = (domain: string): string =>
  `Bounces come back to an address of the provider's (${domain}), whose SPF counts; yours needs no entry.`;
const authenticate = (where: string): string =>
  `Ours stays on the message. Have the domain authenticated at the provider as well (${where}): its signature for your domain then counts even where tracking changes the body.`;

const sesRegions = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'af-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-3',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'il-central-1',
  'me-south-1',
  'sa-east-1',
] as const;

export const transactionalAToM: readonly RelayPreset[] = [
  {
    id: 'ses',
    title: 'Amazon SES',
    aliases: ['amazon', 'aws', 'amazon-ses'],
    host: 'email-smtp.{region}.amazonaws.com',
    regions: { parts: Object.fromEntries(sesRegions.map((name) => [name, name])) },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 2587, tls: 'starttls' },
      { port: 2465, tls: 'wrapper' },
    ],
    login: {
      user: 'the SMTP user name of this region (SES console, SMTP settings); not an access key of IAM',
      password: 'the SMTP password made with it; not the secret access key',
      mechanisms: both,
    },
    spf: { why: ownEnvelope('amazonses.com') },
    dkim: {
      ours: 'kept',
      advice:
        'Ours stays beside that of amazonses.com, as long as it covers neither Message-ID nor Date: SES writes those anew. smtp-setup signs accordingly. Easy DKIM for the domain is a second pillar.',
    },
    rewrites: ['message-id', 'date'],
    limits: 'In the SES sandbox 200 messages a day, to confirmed addresses only; ask for production access.',
    notes: ['The domain (or each sender address) must be a verified identity in the same region.'],
    source: {
      url: 'https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html',
      read,
    },
  },
  {
    id: 'brevo',
    title: 'Brevo',
    aliases: ['sendinblue'],
    host: 'smtp-relay.brevo.com',
    ports: standard,
    login: {
      user: 'the SMTP login of the page "SMTP & API", an address',
      password: 'an SMTP key; not an API key, not the password of the account',
      mechanisms: both,
    },
    spf: { why: ownEnvelope('sender-sib.com') },
    dkim: {
      ours: 'unknown',
      advice: `${authenticate('Senders & domains')} Without it Brevo may replace your sender address by one of brevosend.com.`,
    },
    limits: 'Free plan: 300 messages a day.',
    source: {
      url: 'https://developers.brevo.com/docs/smtp-integration',
      read,
      unconfirmed: ['whether a signature of ours survives unchanged'],
    },
  },
  {
    id: 'elasticemail',
    title: 'Elastic Email',
    aliases: ['elastic', 'elastic-email'],
    host: 'smtp.elasticemail.com',
    ports: [
      { port: 2525, tls: 'starttls' },
      { port: 465, tls: 'wrapper' },
      { port: 587, tls: 'starttls' },
    ],
    login: {
      user: 'the user name of the SMTP credential, an address',
      password: 'the password that was shown when the credential was made',
      mechanisms: both,
    },
    spf: {
      include: '_spf.elasticemail.com',
      why: 'Elastic Email asks for its include when it verifies the domain.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Settings, Domains') },
    limits: 'By plan; up to 15 SMTP credentials an account.',
    source: {
      url: 'https://help.elasticemail.com/en/articles/4803409-smtp-settings',
      read,
      unconfirmed: [
        'which of the ports speak TLS from the first byte',
        'whether a signature of ours survives',
      ],
    },
  },
  {
    id: 'mailersend',
    title: 'MailerSend',
    host: 'smtp.mailersend.net',
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      user: 'the user name of the SMTP user (MS_…)',
      password: 'its password',
      mechanisms: both,
    },
    spf: {
      why: 'Bounces go to a host below your domain that MailerSend has you publish; the domain itself needs no entry.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Domains') },
    limits: 'By plan.',
    source: {
      url: 'https://www.mailersend.com/help/smtp-relay',
      read,
      unconfirmed: ['everything but the host name'],
    },
  },
  {
    id: 'mailgun',
    title: 'Mailgun',
    host: 'smtp.{region}mailgun.org',
    regions: { parts: { us: '', eu: 'eu.' }, default: 'us' },
    ports: standard,
    login: {
      user: 'the SMTP user of the sending domain, such as postmaster@mg.example.org',
      password: "that user's SMTP password; not the private API key",
      mechanisms: both,
    },
    spf: {
      include: 'mailgun.org',
      why: 'Mailgun keeps an envelope sender below the sending domain that you verified.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Sending, Domains') },
    limits: 'Free plan: 100 messages a day.',
    notes: [
      'Credentials belong to one sending domain and one region.',
      'A header X-Mailgun-Dkim: no leaves the signing to us alone.',
    ],
    source: {
      url: 'https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp',
      read,
      unconfirmed: ['whether a signature of ours survives tracking'],
    },
  },
  {
    id: 'mailjet',
    title: 'Mailjet',
    host: 'in-v3.mailjet.com',
    ports: standard,
    login: {
      user: 'the API key',
      password: 'its secret key; not the password of the account',
      mechanisms: both,
    },
    spf: {
      include: 'spf.mailjet.com',
      why: 'Mailjet asks for its include when it validates a domain, though bounces go to its own by default.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Sender domains') },
    limits: 'Free plan: 200 messages a day, 6,000 a month.',
    source: {
      url: 'https://dev.mailjet.com/smtp-relay/configuration/',
      read,
      unconfirmed: ['port 2525', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'mailtrap',
    title: 'Mailtrap Email Sending',
    host: '{region}.smtp.mailtrap.io',
    regions: { parts: { live: 'live', bulk: 'bulk' }, default: 'live' },
    ports: [
      { port: 587, tls: 'starttls' },
      { port: 2525, tls: 'starttls' },
    ],
    login: {
      fixedUser: 'api',
      user: 'api, for everybody',
      password: 'an API token with sending rights',
      mechanisms: both,
    },
    spf: {
      why: 'Bounces go to a host below your domain that Mailtrap has you publish (CNAME); the domain itself needs no entry.',
    },
    dkim: { ours: 'unknown', advice: authenticate('Sending Domains') },
    limits:
      'Free plan: 150 messages a day. The region is the stream: live for transactional mail, bulk for campaigns.',
    notes: ['sandbox.smtp.mailtrap.io delivers to nobody: it is for tests.'],
    source: {
      url: 'https://mailtrap.io/smtp-service/',
      read,
      unconfirmed: ['port 2525', 'whether a signature of ours survives'],
    },
  },
  {
    id: 'mandrill',
    title: 'Mailchimp Transactional (Mandrill)',
    aliases: ['mailchimp', 'mailchimp-transactional'],
    host: 'smtp.mandrillapp.com',
    ports: standard,
    login: {
      user: 'any; Mailchimp suggests the address of the account',
      password: 'an API key that is active',
      mechanisms: both,
    },
    spf: {
      include: 'spf.mandrillapp.com',
      why: 'Mailchimp asks for its include before it sends for a domain; bounces go to an address of its own.',
    },
    dkim: {
      ours: 'broken',
      advice:
        'Mandrill builds the message anew, so that ours counts no longer: publish its two DKIM records as well, or DMARC fails.',
    },
    limits: 'By blocks of 25,000 messages, on a paid plan of Mailchimp.',
    source: {
      url: 'https://mailchimp.com/developer/transactional/docs/smtp-integration/',
      read,
      unconfirmed: ['that the message is built anew'],
    },
  },
];
