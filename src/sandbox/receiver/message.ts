/** A message as it lies in the receiver's mailbox. */
export interface StoredMessage {
  /** As stored, with CRLF line ends. */
  raw: string;
  headers: readonly { name: string; value: string }[];
  body: string;
  /** MAIL FROM; empty for a bounce. */
  envelopeFrom: string;
  /** RCPT TO, before any alias. */
  recipient: string;
}

/** First header field of that name, unfolded; undefined when there is none. */
export function headerOf(message: StoredMessage, name: string): string | undefined {
  return message.headers.find((header) => header.name === name.toLowerCase())?.value;
}

/** Reads a message from a Maildir file (Postfix adds Return-Path and X-Original-To on delivery). */
export function parseStoredMessage(text: string): StoredMessage {
  const raw = text.replace(/\r?\n/g, '\r\n');
  const end = raw.indexOf('\r\n\r\n');
  const head = end < 0 ? raw : raw.slice(0, end);
  const headers = head.split(/\r\n(?![ \t])/).map((line) => {
    const colon = line.indexOf(':');
    return {
      name: line.slice(0, Math.max(0, colon)).trim().toLowerCase(),
      value: line
        .slice(colon + 1)
        .replace(/\r\n/g, '')
        .trim(),
    };
  });
  const find = (name: string): string => headers.find((header) => header.name === name)?.value ?? '';
  return {
    raw,
    headers,
    body: end < 0 ? '' : raw.slice(end + 4),
    envelopeFrom: find('return-path').replace(/^<|>$/g, ''),
    recipient: find('x-original-to'),
  };
}
