import { dkimSelector, type ReceiverNames } from './names.js';

/**
 * The public suffixes of the lab (DMARC's organizational domain). The real list has ten thousand, which take Rspamd
 * twenty seconds of processor time at every start.
 */
export const publicSuffixes = ['test', 'example', 'com', 'net', 'org', 'co.uk'];

/**
 * A whole rspamd.conf (Rspamd 3.4): only what verifies and signs. Scores, lists and learning are left out, so that
 * nothing but SPF, DKIM and DMARC decides about a message, and nothing asks names outside the lab.
 */
export function renderRspamdConf({ domain, host }: ReceiverNames): string {
  return `options {
  pidfile = "";
  tempdir = "/tmp";
  filters = "dkim";
  url_tld = "/lab/public-suffix.dat";
  dns { timeout = 2s; retransmits = 3; }
  # The documentation ranges are the Internet here; nothing but the host itself is local.
  local_addrs = [127.0.0.0/8, "::1"];
  task_timeout = 20s;
}
logging {
  type = "console";
  level = "notice";
}
modules { path = "\${PLUGINSDIR}"; }
actions {
  reject = null;
  "add header" = null;
  greylist = null;
}
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:11332";
  milter = yes;
  timeout = 60s;
  reject_message = "The message fails the DMARC policy of its sender";
  count = 1;
  upstream "local" { default = yes; self_scan = yes; }
}
spf { }
dkim { }
dmarc {
  # What the owner of the domain asks for is done to the letter.
  actions { reject = "reject"; quarantine = "add header"; }
}
dkim_signing {
  sign_local = true;
  allow_hdrfrom_mismatch = true;
  allow_envfrom_empty = true;
  use_domain = "header";
  domain {
    "${domain}" { selector = "${dkimSelector}"; path = "/lab/dkim.key"; }
  }
}
milter_headers {
  use = ["results", "junk"];
  custom {
    results = <<EOD
${resultsRoutine(host)}
EOD;
    junk = <<EOD
${junkRoutine}
EOD;
  }
}
`;
}

/**
 * One Authentication-Results field (RFC 8601) with the verdicts of Rspamd, and two more that Postfix has found: iprev
 * (section 2.7.3; the name is "unknown" unless it leads back to the address) and the TLS version. Fields of that name
 * that came with the message are removed (section 5).
 */
const resultsRoutine = (host: string): string => `return function(task, common)
  local generate = require("lua_auth_results").gen_auth_results
  local ip = task:get_from_ip()
  if not ip or not ip:is_valid() or ip:is_local() then return nil, {}, {}, {} end
  local name = task:get_hostname()
  local iprev = (name and name ~= "unknown") and "pass" or "fail"
  local tls = task:get_request_header("TLS-Version")
  local value = (generate(task) or "none"):gsub("^[^;]*", "${host}", 1)
  value = value .. "; iprev=" .. iprev .. " policy.iprev=" .. tostring(ip)
  value = value .. "; x-tls=" .. (tls and ("pass policy.tls=" .. tostring(tls)) or "none")
  return nil, { ["Authentication-Results"] = { value = value, order = 1 } }, { ["Authentication-Results"] = 0 }, {}
end`;

const junkRoutine = `return function(task, common)
  if task:get_metric_action() == "add header" then
    return nil, { ["X-Quarantine"] = "DMARC" }, { ["X-Quarantine"] = 0 }, {}
  end
  return nil, {}, { ["X-Quarantine"] = 0 }, {}
end`;
