import type { Component } from './component.js';
import type { Render } from './render.js';

/** MiB; a login's counters take some hundred bytes. */
const maxMemory = 24;

/** Rspamd's memory: the counters of what each login has sent. */
export function createRedis(render: Render): Component {
  return {
    id: 'redis',
    title: "Redis (Rspamd's memory)",
    // Whose package makes the user that it runs as.
    needs: ['dkim'],
    applies: () => true,
    packages: () => ['redis-tools'],
    files: () => [
      file('/etc/smtp-setup/redis.conf', render('redis/redis.conf', { maxMemory })),
      file('/etc/systemd/system/smtp-setup-redis.service', render('redis/service', {})),
    ],
    units: () => [{ name: 'smtp-setup-redis.service', onChange: 'restart' }],
    unitFiles: ['smtp-setup-redis.service'],
    ports: () => [],
    watch: ['/etc/smtp-setup/redis.conf', '/etc/systemd/system/smtp-setup-redis.service'],
    validate: () => [],
    probe: () => [{ fn: 'redis_probe', args: [] }],
    steps: () => [],
  };
}

function file(path: string, content: string) {
  return { path, mode: '0644', owner: 'root:root', group: 'redis', content };
}
