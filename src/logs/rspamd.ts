import type { MailEvent } from './event.js';

const summary =
  /rspamd_task_write_log: id: <(.*?)>, qid: <([0-9A-Za-z]{5,25})>,(?: ip: ([0-9a-f.:]+),)?(?: user: (.*?),)?(?: (?:from|mail_from): <.*?>,)? \(default: . \((.*?)\): \[(-?[\d.]+|nan)\/(-?[\d.]+|nan)\] \[(.*?)\]\), len: \d+/s;
const symbol = /([A-Z][A-Z0-9_]*)\((-?[\d.]+)\)(?:\{((?:[^{}]|\{[^{}]*\})*)\})?/g;

/** Reads Rspamd's summary of a message (its default log line, Rspamd 2.7 to 3.12). */
export function readRspamd(text: string): MailEvent | undefined {
  if (!text.includes('rspamd_task_write_log')) return undefined;
  const match = summary.exec(text);
  if (match === null) return undefined;
  const [, messageId = '', id = '', client, login, action = '', score, required, symbols = ''] = match;
  const found = [...symbols.matchAll(symbol)].map(([, name = '', weight = '', options = '']) => ({
    name,
    score: Number(weight),
    options,
  }));
  return {
    kind: 'judged',
    id,
    messageId: messageId === 'undef' ? '' : messageId,
    action,
    score: readScore(score),
    required: readScore(required),
    signed: found
      .filter(({ name }) => name === 'DKIM_SIGNED')
      .flatMap(({ options }) => options.split(';'))
      .flatMap((option) => {
        const signature = /^([a-z0-9.-]+):s=([a-z0-9._-]+)$/i.exec(option);
        return signature === null ? [] : [`${signature[1]} ${signature[2]}`];
      }),
    reasons: found
      .filter((one) => one.score !== 0)
      .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
      .slice(0, 6)
      .map((one) => ({ name: one.name, score: one.score })),
    ...(login === undefined ? {} : { login }),
    ...(client === undefined ? {} : { client }),
  };
}

function readScore(text: string | undefined): number {
  const score = Number(text);
  return Number.isFinite(score) ? score : 0;
}
