/** What one look at a mail port shows; made by whoever can speak SMTP. */
export type SmtpLook =
  | {
      ok: true;
      /** STARTTLS offered (or TLS from the start on 465). */
      tls: boolean;
      /** Negotiated version, e.g. `TLSv1.3`. */
      version?: string;
      /** Negotiated cipher suite, by OpenSSL's name. */
      cipher?: string;
      /** Bits of a finite-field Diffie-Hellman exchange. */
      dhBits?: number;
      /** Served chain, leaf first, DER. */
      chain: readonly Uint8Array[];
      /** Why the certificate would not be trusted for the name; undefined when it is. */
      untrusted?: string;
      /** Milliseconds since the epoch. */
      validFrom?: number;
      validTo?: number;
    }
  /** `silent`: nothing came back, which from a home or CI network proves nothing. */
  | { ok: false; reason: 'silent' | 'refused' | 'broken'; detail: string };

export type SmtpProbe = (request: {
  address: string;
  port: 25 | 465 | 587;
  servername: string;
}) => Promise<SmtpLook>;
