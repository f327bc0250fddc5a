/** What a server is for (DESIGN.md, section 5). */
export const profiles = ['mailboxes', 'send-only', 'backup-mx'] as const;

export type Profile = (typeof profiles)[number];
