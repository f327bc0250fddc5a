import { stageDelay, warmupDays, warmupStages } from '../lib/warmup.js';
import type { Component } from './component.js';
import { postfixWord } from './escape.js';
import type { ServerModel, WarmupGroup } from './model.js';
import type { Render } from './render.js';

const script = '/usr/local/lib/smtp-setup/warmup';
const unit = '/etc/systemd/system/smtp-setup-warmup';

/**
 * Limits of a new sender, rising day by day: a timer on the server chooses which of Postfix's transports takes a domain's
 * mail; each has its own pace. Mail waits in the queue, and whoever hands it in notices nothing.
 */
export function createWarmup(render: Render): Component {
  return {
    id: 'warmup',
    title: 'Warm-up',
    needs: [],
    applies: (model) => groupsOf(model).length > 0 || begun(model).length > 0,
    // The script makes Postfix's table.
    packages: (model) => (groupsOf(model).length === 0 ? [] : ['postfix']),
    files: (model) =>
      groupsOf(model).length === 0
        ? []
        : [
            { path: script, mode: '0755', content: renderScript(render, model) },
            { path: `${unit}.service`, mode: '0644', content: render('warmup/service', {}) },
            { path: `${unit}.timer`, mode: '0644', content: render('warmup/timer', {}) },
          ].map((file) => ({ ...file, owner: 'root:root', group: 'warmup' })),
    units: (model) =>
      groupsOf(model).length === 0 ? [] : [{ name: 'smtp-setup-warmup.timer', onChange: 'restart' }],
    unitFiles: ['smtp-setup-warmup.timer'],
    ports: () => [],
    watch: [script, `${unit}.service`, `${unit}.timer`],
    validate: () => [],
    // The domains of a group may have changed.
    probe: (model) =>
      groupsOf(model).length === 0
        ? []
        : [{ fn: 'warmup_begin', args: groupsOf(model).map(({ name }) => postfixWord(name)) }],
    steps: (model) => {
      const names = groupsOf(model).map(({ name }) => name);
      const gone = begun(model).filter((name) => !names.includes(name));
      if (gone.length === 0) return [];
      return [
        {
          id: 'warmup-end',
          run: 'install',
          after: 'services',
          title: names.length === 0 ? 'End the warm-up' : `End the warm-up of ${gone.join(', ')}`,
          reason: 'the configuration has none',
          calls: [{ fn: 'warmup_end', args: names.length === 0 ? [] : gone }],
        },
      ];
    },
  };
}

function renderScript(render: Render, model: ServerModel): string {
  return render('warmup/stage', {
    stages: warmupStages.map(({ from }, index) => ({ number: index + 1, from })),
    days: warmupDays,
    groups: groupsOf(model).map(({ name, domains, apart }) => ({
      name: postfixWord(name),
      last: apart ? `warm-${postfixWord(name)}-${warmupStages.length}` : '',
      domains: domains.map((domain) => postfixWord(domain)).join(' '),
    })),
    mapType: postfixWord(model.mapType),
    extension: model.mapType === 'hash' ? 'db' : postfixWord(model.mapType),
  });
}

const groupsOf = ({ warmup = [] }: ServerModel): readonly WarmupGroup[] => warmup;
const begun = ({ has }: ServerModel): readonly string[] => has.warmups ?? [];

/** The transports of all groups and stages, for Postfix. */
export function warmupTransports({ warmup = [] }: ServerModel): { service: string; delay: number }[] {
  return warmup.flatMap(({ name }) =>
    warmupStages.map((stage, index) => ({
      service: `warm-${postfixWord(name)}-${index + 1}`,
      delay: stageDelay(stage),
    })),
  );
}

/** Domains whose mail the warm-up's own table sends its way. */
export function warmupDomains({ warmup = [] }: ServerModel): string[] {
  return warmup.flatMap(({ domains }) => [...domains]);
}
