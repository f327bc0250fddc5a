import { type AnswerRule, waits } from './rule.js';

/** Other large receivers; each from the postmaster pages it names in its answers. */
export const providerAnswers: readonly AnswerRule[] = [
  {
    id: 'yahoo-policy',
    match: /5\.7\.9\b.*(policy|yahoo)|\[BL2[13]\]|Message not accepted for policy reasons/i,
    title: 'Yahoo: not accepted by policy',
    meaning:
      'SPF and DKIM did not pass for the From domain, its DMARC policy refuses, or the address is listed.',
    todo: ['smtp-setup check dns --profile yahoo', 'https://senders.yahooinc.com/smtp-error-codes/'],
  },
  {
    id: 'yahoo-unknown-user',
    match: /This user doesn.t have an? \S+ account|account has been disabled or discontinued/i,
    title: 'no such recipient (Yahoo, AOL)',
    meaning: 'The address does not exist there, or does not any more.',
    todo: ['Take it off the list. Many of these cost reputation.'],
  },
  {
    id: 'apple-policy',
    match:
      /\[?(CS0[12]|HM0[78]|HVR?\d)\]?\b.*(rejected|policy)|rejected due to local policy.*(icloud|apple)|icloudadmin/i,
    title: 'iCloud: refused by local policy',
    meaning: "Apple does not like the content, the links in it, or this server's reputation.",
    todo: [
      'smtp-setup check dns',
      'https://support.apple.com/102322 tells what Apple asks of senders, and whom to write to.',
    ],
  },
  {
    id: 't-online-not-known',
    match: /tobr@rx\.t-online\.de|t-online\.de.*(Ask your postmaster|IP=)/i,
    title: 'T-Online: the server is not known there',
    meaning: 'T-Online takes mail only from servers that it knows, and asks for a website with an imprint.',
    todo: [
      'Write to tobr@rx.t-online.de with the address of the server, what it sends, and who answers for it.',
      'See that the host name of the server (or its domain) has a web page with name and address.',
    ],
  },
  {
    id: 'gmx-policy',
    match: /Nemesis|postmaster\.(gmx|web)\.|kundenserver|mail\.com.*policy restrictions/i,
    title: 'GMX, WEB.DE, 1&1: refused by policy',
    meaning: 'The PTR record looks generic, the address is listed, or the domain has no MX that works.',
    todo: [
      'See that the PTR is the mail host name: smtp-setup check dns',
      'https://postmaster.gmx.net/en/error-messages tells what the letters in the answer mean.',
    ],
  },
  {
    id: 'orange-slow-down',
    match: /OFR_?\d*.*(too many|slow down|trop)|\bOFR00\d_(104|10[0-9])\b|Too many connections, slow down/i,
    title: 'Orange: slow down',
    meaning: 'Too many connections at once for what Orange thinks of this server.',
    todo: [waits, 'Send less to orange.fr and wanadoo.fr at once.'],
  },
  {
    id: 'orange-blocked',
    match: /\bOFR_?[0-9_]+\b|\bLPN00\d_\d+\b|postmaster\.orange\.fr/i,
    title: 'Orange, La Poste: blocked',
    meaning: "The server's address is blocked there, mostly because of complaints or no PTR.",
    todo: ['smtp-setup check dns', 'https://postmaster.orange.fr/ has a form for removal.'],
  },
  {
    id: 'free-throttled',
    match: /free\.fr.*(too many|spam|Too much)|Too many mails per hour|spam detected.*free/i,
    title: 'Free: too much mail',
    meaning: 'Free limits how much it takes from an address that it does not know.',
    todo: [waits, 'https://postmaster.free.fr/'],
  },
  {
    id: 'comcast',
    match: /\b(BL|RL|AM)0{3,}\d+\b|postmaster\.comcast\.net|comcast.*blocked/i,
    title: 'Comcast: blocked or limited',
    meaning: 'Comcast blocks the address (BL), or limits how much it takes (RL).',
    todo: ['https://postmaster.comcast.net/ explains the code in the answer and has the form for removal.'],
  },
  {
    id: 'att',
    match: /ATTRBL|abuse_rbl@abuse-att\.net|abuse-att/i,
    title: 'AT&T: the address is blocked',
    meaning: 'AT&T has the address on its own list.',
    todo: ['Write to abuse_rbl@abuse-att.net with the address and the whole answer.'],
  },
  {
    id: 'mail-ru',
    match: /help\.mail\.ru|notspam-support|mail\.ru.*spam/i,
    title: 'Mail.ru: taken for spam',
    meaning: 'Content or reputation look bad to Mail.ru, or SPF, DKIM or PTR are not right.',
    todo: ['smtp-setup check dns', 'https://postmaster.mail.ru/ shows what they see.'],
  },
  {
    id: 'qq-netease',
    match:
      /service\.mail\.(qq|163)\.com|(mx|mail)\.qq\.com|hl\.mail\.163|Mail content denied|Ip frequency limited|\bMI:(SPB|SPF|DMA|CEL|NHD|BLK)/i,
    title: 'QQ, NetEase: refused',
    meaning: 'They limit unknown addresses strictly, and refuse what looks like advertising.',
    todo: [
      waits,
      'The page named in the answer tells the reason. SPF, DKIM and DMARC must pass: smtp-setup check dns',
    ],
  },
  {
    id: 'proofpoint',
    match: /ipcheck\.proofpoint\.com|proofpoint|pphosted/i,
    title: 'Proofpoint: the address has a bad reputation',
    meaning: "The receiver asks Proofpoint's list, which has this server's address.",
    todo: ['https://ipcheck.proofpoint.com/ shows why, and takes it off on request.'],
  },
  {
    id: 'mimecast',
    match: /mimecast|Administrative prohibition|Anti-?Spoofing policy/i,
    title: 'Mimecast: refused by the rules of the receiver',
    meaning:
      "The receiver's gateway refuses: the address is listed, or the From domain is theirs and must not come from outside.",
    todo: ["The receiver's administrator sees the reason in Mimecast and can allow the sender."],
  },
  {
    id: 'cloudmark',
    match: /cloudmark/i,
    title: 'Cloudmark: the address has a bad reputation',
    meaning: "The receiver asks Cloudmark's list, which has this server's address.",
    todo: ['https://csi.cloudmark.com/en/reset/ takes it off on request.'],
  },
  {
    id: 'cisco-talos',
    match: /senderbase|talosintelligence|ironport/i,
    title: 'Cisco Talos: the address has a bad reputation',
    meaning: "The receiver's gateway refuses what Talos calls poor.",
    todo: ['https://talosintelligence.com/reputation_center shows it and takes requests.'],
  },
];
