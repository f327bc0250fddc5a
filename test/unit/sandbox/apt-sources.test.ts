import { describe, expect, it } from 'vitest';
import { parseAptConfig, requireSources } from '../../../src/sandbox/apt/host-apt.js';
import {
  parseDeb822Sources,
  parseOneLineSources,
  renderSourceLine,
  sourcesForRelease,
} from '../../../src/sandbox/apt/sources.js';

const ONE_LINE = `
# comment
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian/ bookworm main contrib # tail
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb https://vendor.example/apt stable-vendor main
deb http://flat.example/ ./
`;

const DEB822 = `Types: deb deb-src
# comment
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main
`;

describe('apt sources', () => {
  it('reads the one-line style', () => {
    expect(parseOneLineSources(ONE_LINE)).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm', components: ['main', 'contrib'] },
      { uri: 'http://mirror.example/debian-security', suite: 'bookworm-security', components: ['main'] },
      { uri: 'https://vendor.example/apt', suite: 'stable-vendor', components: ['main'] },
    ]);
  });

  it('reads the deb822 style', () => {
    expect(parseDeb822Sources(DEB822)).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm', components: ['main'] },
      { uri: 'http://mirror.example/debian', suite: 'bookworm-updates', components: ['main'] },
    ]);
  });

  it('are turned to another release, without third parties and duplicates', () => {
    const sources = [...parseOneLineSources(ONE_LINE), ...parseDeb822Sources(DEB822)];
    expect(sourcesForRelease(sources, 'trixie').map(renderSourceLine)).toEqual([
      'deb http://mirror.example/debian trixie main',
      'deb http://mirror.example/debian-security trixie-security main',
      'deb http://mirror.example/debian trixie-updates main',
    ]);
  });

  it('of a machine without a Debian archive are refused with what it has', () => {
    const apt = {
      sources: [{ uri: 'http://u.example/ubuntu', suite: 'noble', components: ['main'] }],
      settings: [],
    };
    expect(() => requireSources(apt, 'bookworm')).toThrow(
      expect.objectContaining({
        code: 'E_SANDBOX_NO_MIRROR',
        exit: 2,
        evidence: ['deb http://u.example/ubuntu noble'],
      }),
    );
  });

  it('come with the settings of apt-config dump', () => {
    const dump = parseAptConfig(
      'APT "";\nAcquire::http::Proxy "http://p.example:3128";\nDPkg::Post-Invoke:: "a "b"";\n',
    );
    expect(dump.get('Acquire::http::Proxy')).toBe('http://p.example:3128');
    expect(dump.get('DPkg::Post-Invoke::')).toBe('a "b"');
  });
});
