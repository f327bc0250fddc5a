export type DeliveryStatus = 'sent' | 'deferred' | 'bounced' | 'expired';

/** What a daemon said about a message. `id` is Postfix's queue id. All text is untrusted. */
export type MailEvent =
  /** It came in: over the network, or from a program on the machine (`client` is then absent). */
  | { kind: 'received'; id: string; service: string; client?: string; login?: string }
  | { kind: 'message-id'; id: string; messageId: string }
  | { kind: 'queued'; id: string; from: string; size: number; recipients: number }
  | {
      kind: 'delivery';
      id: string;
      /** `smtp`, `lmtp`, `local`, `error`, … */
      agent: string;
      to: string;
      originalTo?: string;
      /** `mx.example.net[192.0.2.1]:25`, `none`. */
      relay: string;
      /** Seconds since it came in. */
      delay: number;
      /** Enhanced status code (RFC 3463), `2.0.0`. */
      dsn: string;
      status: DeliveryStatus;
      /** What the other side said, or why nobody could be asked. */
      answer: string;
    }
  | { kind: 'returned'; id: string; notice: string; type: 'bounce' | 'delay' | 'report' }
  | { kind: 'removed'; id: string }
  | {
      kind: 'rejected';
      /** Absent when it was refused before it got one. */
      id?: string;
      service: string;
      client: string;
      /** `RCPT`, `MAIL`, `END-OF-MESSAGE`, … */
      stage: string;
      answer: string;
      from?: string;
      to?: string;
      /** How the client named itself. */
      helo?: string;
    }
  | { kind: 'login-failed'; service: string; client: string; login?: string }
  | {
      kind: 'judged';
      id: string;
      messageId: string;
      /** `no action`, `add header`, `greylist`, `soft reject`, `reject`. */
      action: string;
      score: number;
      required: number;
      /** `domain selector` of each signature that was made. */
      signed: readonly string[];
      /** Symbols that weigh, heaviest first. */
      reasons: readonly { name: string; score: number }[];
      login?: string;
      client?: string;
    }
  | { kind: 'stored'; mailbox: string; messageId: string; user: string; session: string }
  | { kind: 'not-stored'; messageId: string; user: string; session: string; answer: string };
