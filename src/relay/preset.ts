/** How a connection to a relay begins; a relay is never spoken to without TLS. */
export type RelayTls = 'starttls' | 'wrapper';

export interface RelayPort {
  port: number;
  tls: RelayTls;
}

/** What somebody has to know to send through a hosted provider. Plain data, confirmed from public documentation. */
export interface RelayPreset {
  id: string;
  title: string;
  /** Other names that people look for. */
  aliases?: readonly string[];
  /** Host name; `{region}` is replaced by what `regions` has for the chosen one. */
  host: string;
  regions?: RelayRegions;
  /** The first is what we take; the others are for networks that block it. */
  ports: readonly [RelayPort, ...RelayPort[]];
  login: RelayLogin;
  /** SPF of the sending domain; without `include` the provider puts a sender address of its own on the envelope. */
  spf: { include?: string; why: string };
  dkim: RelayDkim;
  /** Header fields that the provider writes anew: a signature over them would break. */
  rewrites?: readonly string[];
  limits: string;
  /** What the user should know before choosing it. */
  notes?: readonly string[];
  source: RelaySource;
}

export interface RelayRegions {
  /** Name of a region → its part of the host name. */
  parts: Readonly<Record<string, string>>;
  /** Left out: the user has to say which. */
  default?: string;
}

export interface RelayLogin {
  /** A user name that is the same for everybody. */
  fixedUser?: string;
  /** What to enter as user name; not asked for when it is fixed or the same as the password. */
  user: string;
  password: string;
  /** The one token is both user name and password. */
  userIsPassword?: boolean;
  /** SASL mechanisms; the first that both sides know is used. */
  mechanisms: readonly ('PLAIN' | 'LOGIN')[];
}

export interface RelayDkim {
  /** Whether our signature arrives unbroken. `no`: the provider builds the message anew, or changes what is signed. */
  ours: 'kept' | 'broken' | 'unknown';
  advice: string;
}

export interface RelaySource {
  url: string;
  /** Day on which it was read, ISO 8601. */
  read: string;
  /** What the documentation that could be read does not confirm. */
  unconfirmed?: readonly string[];
}

/** A name that people still look for, behind which no SMTP relay is to be had. */
export interface RelayTombstone {
  id: string;
  title: string;
  aliases?: readonly string[];
  /** `gone`: there is no such service any more. `no-smtp`: it sends, but takes no mail by SMTP. */
  kind: 'gone' | 'no-smtp';
  what: string;
  /** Ids of presets to take instead. */
  successors: readonly string[];
  source: RelaySource;
}
