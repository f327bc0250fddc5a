/** What a server is for. */
export const profiles = ['mailboxes', 'send-only', 'backup-mx'] as const;

export type Profile = (typeof profiles)[number];
