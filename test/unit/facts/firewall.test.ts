import { describe, expect, it } from 'vitest';
import { firewall, readClosingChains } from '../../../src/facts/firewall.js';

const out = (stdout: string) => ({ code: 0, stdout });

const ruleset = `table inet filter {
	set office {
		type ipv4_addr
		elements = { 192.0.2.7 }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		tcp dport 22 accept
		tcp dport 25 accept comment "smtp-setup"
	}

	chain output {
		type filter hook output priority filter; policy drop;
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		ip protocol icmp counter packets 4 bytes 336 accept
		counter packets 0 bytes 0 reject with icmp host-prohibited
	}

	chain DOCKER {
		counter packets 0 bytes 0 drop
	}
}
table inet f2b-table {
	chain f2b-chain {
		type filter hook input priority filter - 1; policy accept;
		tcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable
	}
}
table inet smtp_setup {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
table ip open {
	chain input {
		type filter hook input priority filter; policy accept;
		ip saddr 192.0.2.66 drop
		log prefix "last: " level info
	}
}
`;

describe('the packet filter', () => {
  it('of others counts when its input chain refuses what it does not name', () => {
    expect(readClosingChains(ruleset)).toEqual([
      { family: 'inet', table: 'filter', chain: 'input', opened: [25] },
      { family: 'ip', table: 'filter', chain: 'INPUT', opened: [] },
    ]);
  });

  it('a refusal that is logged and counted is one', () => {
    const chain = (rule: string) =>
      readClosingChains(
        `table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t${rule}\n\t}\n}\n`,
      ).length;
    expect(chain('log prefix "x y: " level warn counter packets 1 bytes 2 drop comment "all else"')).toBe(1);
    expect(chain('reject with icmpx admin-prohibited')).toBe(1);
    expect(chain('tcp dport 23 drop')).toBe(0);
    expect(chain('accept')).toBe(0);
  });

  it('names that a shell could read otherwise are not taken from it', () => {
    expect(
      readClosingChains(
        'table ip $(id) {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n',
      ),
    ).toEqual([]);
  });

  it('is ufw when that is on, with what it lets in from everywhere', () => {
    const found = firewall.parse(
      out(
        `ufw\n--\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow any 80,443 0.0.0.0/0 any 0.0.0.0/0 in comment=6d\n### tuple ### allow tcp 25 0.0.0.0/0 any 192.0.2.0/24 in\n### tuple ### allow udp 51820 0.0.0.0/0 any 0.0.0.0/0 in\n--\nport 22\nport 2222\nport 22\n--\n--\n--\n`,
      ),
    );
    expect(found).toEqual({
      manager: 'ufw',
      managed: [22, 80, 443],
      ssh: [22, 2222],
      active: false,
      loaded: false,
      unproven: false,
      closing: [],
    });
  });

  it('is firewalld with its ports, or ours with what it keeps open', () => {
    expect(firewall.parse(out('firewalld\n--\n25/tcp 465/tcp 53/udp\n--\n--\n--\n--\n')).managed).toEqual([
      25, 465,
    ]);
    const ours = firewall.parse(
      out('\n--\n--\nport 22\n--\nours\ntcp/8080, udp/51820, $(id)\n--\nactive\nloaded\nunproven\n--\n'),
    );
    expect(ours).toMatchObject({
      kept: ['tcp/8080', 'udp/51820'],
      active: true,
      loaded: true,
      unproven: true,
    });
  });

  it('is refused by the kernel of some containers', () => {
    const said = firewall.parse(out('\n--\n--\nport 22\n--\n--\nrefused Operation not permitted\n--\n'));
    expect(said.refused).toBe('Operation not permitted');
    expect(firewall.parse(out('\n--\n--\n--\n--\nrefused \u001b[31mx\n--\n')).refused).toBeUndefined();
  });

  it('is unknown where nothing could be asked', () => {
    expect(firewall.parse({ code: 127, stdout: '' })).toEqual({
      managed: [],
      ssh: [],
      active: false,
      loaded: false,
      unproven: false,
      closing: [],
    });
  });
});
