import { explainAnswer } from '../../logs/explain.js';
import type { Outcome } from '../server/server-check.js';
import { type DeliveryCheck, seconds, type Trip } from './trip.js';

/** What the other side said, from the server's own log: the mail is out of our hands, or why not. */
export const sent: DeliveryCheck = {
  id: 'DELIVERY-OUT',
  title: 'The receiving server took the mail',
  ref: 'RFC 5321 section 4.2.5',
  run({ to, story, submitted }: Trip): Outcome[] {
    if (to === undefined || !submitted.accepted) return [];
    const last = story?.events
      .flatMap(({ event }) => (event.kind === 'delivery' && event.to === to.toLowerCase() ? [event] : []))
      .at(-1);
    if (!last) {
      return [
        {
          status: 'unknown',
          subject: to,
          message: 'The log says nothing of it yet.',
          fix: 'Ask later: smtp-setup logs --since 10m, smtp-setup queue',
        },
      ];
    }
    const observed = `${last.relay}: ${last.answer}`;
    if (last.status === 'sent') {
      return [{ status: 'pass', subject: to, message: `Taken in ${last.delay} s.`, observed }];
    }
    const explanation = explainAnswer(last.answer);
    return [
      {
        status: last.status === 'deferred' ? 'unknown' : 'fail',
        subject: to,
        message:
          last.status === 'deferred'
            ? `It waits in the queue: ${explanation?.title ?? 'the receiver wants it later'}.`
            : `It was refused: ${explanation?.title ?? last.dsn}. ${explanation?.meaning ?? ''}`.trim(),
        observed,
        fix:
          explanation?.todo.join(' ') ??
          'Read the answer; smtp-setup check dns looks at what receivers look at.',
      },
    ];
  },
};

/** The verdicts of the receiver, where it answers and says them (RFC 8601); else what a person has to look for. */
export const received: DeliveryCheck = {
  id: 'DELIVERY-VERDICT',
  title: 'The receiver found SPF, DKIM, DMARC and TLS in order',
  ref: 'RFC 8601; RFC 7489',
  run({ to, answer, submitted, waited }: Trip): Outcome[] {
    if (to === undefined || !submitted.accepted) return [];
    if (!answer) {
      return [
        {
          status: 'info',
          subject: to,
          message: `${to} did not answer within ${waited} s: look at the mail there. It must be in the inbox, and its source (in Gmail "Show original", in Outlook "View message source") must say spf=pass, dkim=pass, dmarc=pass, and TLS.`,
        },
      ];
    }
    const text = answer.raw.replace(/=\r?\n/g, '').replace(/\s+/g, ' ');
    const seen = Object.fromEntries(
      ['spf', 'dkim', 'dmarc'].map((method) => [
        method,
        new RegExp(`\\b${method}=([a-z]+)`).exec(text)?.[1] ?? 'none',
      ]),
    );
    const tls = /\bpolicy\.tls=(TLSv1\.[0-9])|\b(TLSv?1[._][0-9])\b/.exec(text);
    const observed = `spf=${seen.spf}, dkim=${seen.dkim}, dmarc=${seen.dmarc}, ${tls?.[1] ?? tls?.[2] ?? 'TLS not named'}`;
    const bad = Object.entries(seen).filter(([, result]) => result !== 'pass');
    if (bad.length === 0 && !/x-tls=none/.test(text)) {
      return [
        {
          status: 'pass',
          subject: to,
          message: `The receiver's answer was here after ${seconds(answer.after)}, and all passed.`,
          observed,
        },
      ];
    }
    return [
      {
        status: 'fail',
        subject: to,
        message:
          bad.length === 0
            ? 'The mail went over the network in the clear.'
            : `The receiver found ${bad.map(([method, result]) => `${method}=${result}`).join(', ')}.`,
        expected: 'spf=pass, dkim=pass, dmarc=pass over TLS',
        observed,
        fix:
          bad.length === 0
            ? 'Run smtp-setup apply: it sets smtp_tls_security_level.'
            : `Run smtp-setup check dns --only ${bad.map(([method]) => method).join(',')}`,
      },
    ];
  },
};
