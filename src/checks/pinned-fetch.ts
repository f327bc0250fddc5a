/** A GET over HTTPS to an address that our own resolver gave, so that the server's name cannot lead anywhere else. */
export interface PinnedRequest {
  url: URL;
  /** Addresses to try, in order. Already judged (amendment A7). */
  addresses: readonly string[];
  /** Most bytes of body that are read. */
  maxBytes: number;
  timeoutMs: number;
}

export type PinnedResponse =
  | {
      ok: true;
      status: number;
      /** Content-Type without parameters, lower-case. */
      contentType: string;
      body: string;
      /** The body was longer than `maxBytes`. */
      tooLong: boolean;
      /** The certificate that was shown, in milliseconds since the epoch. */
      certificate?: { validFrom: number; validTo: number };
    }
  /** `certificate`: TLS came up but the certificate is not good for the name. */
  | { ok: false; reason: 'certificate' | 'refused' | 'timeout' | 'network'; detail: string };

/** Follows no redirects. Never rejects for what the network does. */
export type PinnedFetch = (request: PinnedRequest) => Promise<PinnedResponse>;
