/** Names of a mail server of the lab. */
export interface ReceiverNames {
  /** The domain that it receives for. */
  domain: string;
  /** Its own host name: MX target, HELO name, PTR. */
  host: string;
}

export const dkimSelector = 'lab1';
