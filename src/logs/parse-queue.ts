/** A message in Postfix's queue, as `postqueue -j` tells it (postqueue(1), JSON object format). Untrusted text. */
export interface QueuedMessage {
  id: string;
  /** `active`, `deferred`, `hold`, `incoming`, `maildrop`, `corrupt`. */
  queue: string;
  /** Seconds since 1970. */
  arrived: number;
  /** Bytes. */
  size: number;
  /** Empty for bounces. */
  sender: string;
  recipients: readonly { address: string; reason?: string }[];
}

/** Postfix's short (hexadecimal) and long queue ids. */
export const queueIdForm = /^[0-9A-Za-z]{5,25}$/;

/** Reads `postqueue -j`, one object a line; lines that are none are skipped. */
export function parseQueue(text: string): QueuedMessage[] {
  return text.split('\n').flatMap((line) => {
    const message = line === '' ? undefined : readMessage(line);
    return message === undefined ? [] : [message];
  });
}

function readMessage(line: string): QueuedMessage | undefined {
  const value = readObject(line);
  if (value === undefined) return undefined;
  const { queue_id: id, queue_name: queue, arrival_time: arrived, message_size: size, sender } = value;
  if (typeof id !== 'string' || !queueIdForm.test(id) || typeof queue !== 'string') return undefined;
  return {
    id,
    queue,
    arrived: typeof arrived === 'number' ? arrived : 0,
    size: typeof size === 'number' ? size : 0,
    // Postfix names the null sender so.
    sender: typeof sender === 'string' && sender !== 'MAILER-DAEMON' ? sender : '',
    recipients: Array.isArray(value.recipients) ? value.recipients.flatMap(readRecipient) : [],
  };
}

function readRecipient(value: unknown): QueuedMessage['recipients'] {
  if (typeof value !== 'object' || value === null || !('address' in value)) return [];
  if (typeof value.address !== 'string') return [];
  const reason = 'delay_reason' in value ? value.delay_reason : undefined;
  return [{ address: value.address, ...(typeof reason === 'string' ? { reason } : {}) }];
}

function readObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    // Cut short by the size limit, or a warning of another program.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
