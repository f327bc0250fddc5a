import type { Story } from '../../logs/track.js';
import type { KeyLookup } from '../../mail/dkim-verify.js';
import type { TlsState } from '../../mail/line-client.js';
import type { Outcome } from '../server/server-check.js';

/** A mail on its way, seen from our end; times in milliseconds since it was handed over. */
export interface Handover {
  /** What the server said last, `250 2.0.0 Ok: queued as …`. */
  reply: string;
  accepted: boolean;
  /** Nobody could be asked: the network is silent. */
  unreachable?: boolean;
  tls?: TlsState;
}

export interface Arrival {
  /** As read over IMAP. */
  raw: string;
  mailbox: string;
  /** Milliseconds from handover to the moment it could be read. */
  after: number;
}

/** Everything that was seen of the mails of one `check delivery`. */
export interface Trip {
  hostname: string;
  /** The address of this check, on the server. */
  user: string;
  /** Our name in EHLO: it must appear in no submitted mail. */
  ehloName: string;
  /** Submitted on 465, to ourselves and to `to`. */
  submitted: Handover;
  /** IMAP let the login in; undefined when it was not tried. */
  imap?: { accepted: boolean; detail: string };
  /** The copy that came back to our own mailbox. */
  copy?: Arrival;
  /** A stranger's mail, handed in on port 25; undefined where no mail comes in. */
  incoming?: Handover;
  arrived?: Arrival;
  /** Where the mail was to go, beside ourselves. */
  to?: string;
  /** What the server's log says of the mail to `to`; undefined when it says nothing. */
  story?: Story;
  /** The answer of the address, where it answers. */
  answer?: Arrival;
  /** Seconds that were spent waiting for an answer. */
  waited: number;
  keys: KeyLookup;
}

/** Judges a trip that is over. One file a check, one registry line. */
export interface DeliveryCheck {
  id: string;
  title: string;
  ref: string;
  /** Empty: the question does not arise, or another check names the cause. */
  run(trip: Trip): Promise<Outcome[]> | Outcome[];
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
