import type { RelayLogin, RelayTls } from './preset.js';
import { customRelay, findPreset, findTombstone, relayPresets } from './presets/index.js';

/** What the configuration says about a relay: intent, never a login. */
export interface RelayChoice {
  /** Id of a preset, or `custom`. */
  provider: string;
  region?: string | undefined;
  /** For `custom`, or to overrule the preset's. */
  host?: string | undefined;
  port?: number | undefined;
  tls?: RelayTls | undefined;
  /** Domain whose SPF the sending domain includes; overrules the preset's. */
  spfInclude?: string | undefined;
}

/** A relay with everything decided. */
export interface Relay {
  provider: string;
  title: string;
  host: string;
  port: number;
  tls: RelayTls;
  spfInclude?: string;
  /** Header fields that a signature must not cover, in lower case. */
  rewrites: readonly string[];
  login: RelayLogin;
}

export type ChosenRelay = { ok: true; relay: Relay } | { ok: false; problem: string; hint: string };

const anyLogin: RelayLogin = {
  user: 'the user name that the provider gave you',
  password: 'its password',
  mechanisms: ['PLAIN', 'LOGIN'],
};

/** The preset with the choice laid over it, or what is wrong with the choice. Pure. */
export function chooseRelay(choice: RelayChoice): ChosenRelay {
  if (choice.provider === customRelay) return chooseCustom(choice);
  const preset = findPreset(choice.provider);
  if (preset === undefined) return refuseUnknown(choice.provider);
  const region = choice.region ?? preset.regions?.default;
  const regions = Object.keys(preset.regions?.parts ?? {});
  const part = region === undefined ? undefined : preset.regions?.parts[region];
  if (preset.regions === undefined && choice.region !== undefined)
    return bad(`${preset.title} has no regions.`, 'Leave the region out.');
  if (preset.regions !== undefined && part === undefined && choice.host === undefined) {
    const problem =
      region === undefined
        ? `${preset.title} wants a region.`
        : `${preset.title} has no region ${region} that is known here.`;
    return bad(problem, `One of ${regions.join(', ')}; or the whole host name with host.`);
  }
  const [first] = preset.ports;
  const port = choice.port ?? preset.ports.find(({ tls }) => tls === choice.tls)?.port ?? first.port;
  const include = choice.spfInclude ?? preset.spf.include;
  return {
    ok: true,
    relay: {
      provider: preset.id,
      title: preset.title,
      host: choice.host ?? preset.host.replace('{region}', part ?? ''),
      port,
      tls: choice.tls ?? preset.ports.find((one) => one.port === port)?.tls ?? tlsOf(port),
      ...(include === undefined ? {} : { spfInclude: include }),
      rewrites: preset.rewrites ?? [],
      login: preset.login,
    },
  };
}

function chooseCustom({ host, port = 587, tls, region, spfInclude }: RelayChoice): ChosenRelay {
  if (host === undefined)
    return bad('A relay of one’s own needs a host name.', 'Give it: --host smtp.example.net');
  if (region !== undefined) return bad('A relay of one’s own has no regions.', 'Leave the region out.');
  return {
    ok: true,
    relay: {
      provider: customRelay,
      title: host,
      host,
      port,
      tls: tls ?? tlsOf(port),
      ...(spfInclude === undefined ? {} : { spfInclude }),
      rewrites: [],
      login: anyLogin,
    },
  };
}

/** Only these ports are known to speak TLS from the first byte (RFC 8314, and providers' own spellings of it). */
function tlsOf(port: number): RelayTls {
  return [465, 2465, 8465, 443].includes(port) ? 'wrapper' : 'starttls';
}

function refuseUnknown(name: string): ChosenRelay {
  const tombstone = findTombstone(name);
  if (tombstone !== undefined) return bad(tombstone.what, `Take one of ${tombstone.successors.join(', ')}.`);
  const known = relayPresets.map(({ id }) => id).join(', ');
  return bad(`No relay provider ${name} is known.`, `Known are ${known}; any other: custom, with its host.`);
}

function bad(problem: string, hint: string): ChosenRelay {
  return { ok: false, problem, hint };
}
