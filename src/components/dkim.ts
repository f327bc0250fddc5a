import type { Component } from './component.js';
import type { ServerModel } from './model.js';

/** DKIM keys: made on the server, never replaced, never sent anywhere (docs/architecture.md, sync point 3). */
export function createDkim(): Component {
  return {
    id: 'dkim',
    title: 'DKIM keys',
    needs: [],
    applies: () => true,
    packages: () => ['rspamd', 'openssl'],
    files: () => [],
    units: () => [],
    ports: () => [],
    watch: [],
    validate: () => [],
    probe: () => [],
    steps: (model) =>
      missingKeys(model).map(({ domain, selector }) => ({
        id: `dkim-key:${domain}/${selector}`,
        run: 'install',
        after: 'packages',
        title: `Make the DKIM key ${selector} of ${domain}`,
        reason: 'there is no key on the server',
        calls: [{ fn: 'dkim_make_key', args: [domain, selector] }],
      })),
  };
}

function missingKeys(model: ServerModel): { domain: string; selector: string }[] {
  return model.domains.flatMap((domain) =>
    domain.selectors
      .filter((selector) => !model.has.dkimKeys.includes(`${domain.name}/${selector}`))
      .map((selector) => ({ domain: domain.name, selector })),
  );
}
