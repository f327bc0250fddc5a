import { join } from 'node:path';
import { keyWaitDays } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { isWithin } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import { installIdOf } from '../dns/mark.js';
import { planRemoval } from '../dns/plan-removal.js';
import { dkimText } from '../dns/records/dkim.js';
import type { Facts } from '../facts/index.js';
import { policyNote } from './domain.js';
import { describeChanged, ownValues, type ZoneRemoval } from './remove-records.js';
import type { Session } from './session.js';
import { domainsOf, type ZoneSurvey } from './survey.js';

/** The server that is left, as configured and as found; nothing was found where only DNS is taken back. */
export interface Leaving {
  config: Config;
  hostname: string;
  facts: Facts | undefined;
}

/** What is ours in each zone; DKIM records stay until mail under way has arrived. */
export async function planZones(
  { context, lock }: Session,
  zones: readonly ZoneSurvey[],
  { config, hostname, facts }: Leaving,
): Promise<ZoneRemoval[]> {
  const own = domainsOf(config, hostname).map(([name]) => name);
  const journal = openFileJournal(join(context.stateDir, 'dns'));
  const others = [
    ...Object.keys(config.servers).filter((host) => host !== hostname),
    ...Object.keys(config.domains).filter((name) => !own.includes(name)),
  ];
  const keys = facts?.dkim.keys ?? [];
  return Promise.all(
    zones.map(async (survey) => {
      const names = [...own, hostname].filter((name) => isWithin(name, survey.zone.name));
      const waiting = own.flatMap((name) => {
        // A domain that was set up again since has a key in use.
        const at = lock.domains[name] === undefined ? lock.removed?.[name]?.at : undefined;
        return at === undefined ? [] : [Date.parse(at) + keyWaitDays * 86_400_000];
      });
      const due = waiting.length > 0 && waiting.every((time) => context.clock() >= time);
      const values = own.map((name) => ownValues(lock, name, keys));
      const { changes, changed } = planRemoval({
        live: survey.live,
        journal: await journal.read(survey.zone.name),
        names,
        except: others.filter((name) => !names.some((top) => isWithin(top, name))),
        installId: installIdOf(hostname),
        keepRoles: due ? [] : ['dkim'],
        values: {
          hosts: [hostname],
          addresses: values.flatMap(({ addresses }) => addresses),
          digests: values.flatMap(({ digests = [] }) => digests),
          texts: [
            ...values.flatMap(({ texts }) => texts),
            ...own.flatMap((name) => (lock.removed?.[name]?.keys ?? []).map(dkimText)),
          ],
        },
      });
      const until = new Date(
        waiting.length > 0 ? Math.max(...waiting) : context.clock() + keyWaitDays * 86_400_000,
      )
        .toISOString()
        .slice(0, 10);
      const stays = survey.live.some(({ name }) => names.some((top) => name.endsWith(`._domainkey.${top}`)));
      const notes =
        due || !stays
          ? []
          : [
              `The DKIM records of ${survey.zone.name} stay until ${until}, for mail that is under way; run uninstall again then.`,
            ];
      const policies = own
        .filter((name) => names.includes(name))
        .flatMap((name) => policyNote(lock, config.domains[name], name));
      return { survey, changes, notes: [...describeChanged(changed), ...notes, ...policies] };
    }),
  );
}
