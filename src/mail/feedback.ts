/** A large receiver's own window on how it sees a sender; free, and asked for by hand. */
export interface FeedbackProgram {
  title: string;
  url: string;
  /** What to enter there, and what it takes. */
  todo: string;
}

export interface FeedbackInput {
  /** Domains that mail is signed with. */
  domains: readonly string[];
  /** The server's addresses, as far as mail leaves from them. */
  addresses: readonly string[];
  /** Mail to the domain comes to somebody: confirmations are sent there. */
  receives: boolean;
}

/** Where feedback can be had for these domains and addresses. Pure. Read 2026-11-30 from the receivers' own pages. */
export function feedbackPrograms({ domains, addresses, receives }: FeedbackInput): FeedbackProgram[] {
  const names = domains.join(', ');
  const programs: FeedbackProgram[] = [];
  if (domains.length > 0) {
    programs.push({
      title: 'Google Postmaster Tools',
      url: 'https://postmaster.google.com/',
      todo: `Add ${names}; Google shows a TXT value (google-site-verification=…) for the domain itself, beside what stands there.`,
    });
  }
  if (addresses.length > 0) {
    programs.push(
      {
        title: 'Microsoft SNDS',
        url: 'https://sendersupport.olc.protection.outlook.com/snds/',
        todo: `Ask for access to ${addresses.join(', ')}; a confirmation goes to the address in the WHOIS entry of the network or of its PTR domain.`,
      },
      {
        title: 'Microsoft JMRP',
        url: 'https://sendersupport.olc.protection.outlook.com/snds/JMRP.aspx',
        todo: 'After SNDS: complaints of Outlook.com users, as copies to an address of yours such as abuse@.',
      },
    );
  }
  if (domains.length > 0) {
    programs.push({
      title: 'Yahoo CFL',
      url: 'https://senders.yahooinc.com/complaint-feedback-loop/',
      todo: `Add ${names} as DKIM domain; ${receives ? 'the code comes to postmaster@ of it' : 'the code goes to postmaster@ of it, which must reach you'}.`,
    });
  }
  return programs;
}
