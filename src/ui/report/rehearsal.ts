import { createStyle } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns } from '../text.js';

export interface RehearsalView {
  sandbox: string;
  image: string;
  hostname: string;
  mailbox: string;
  initSeconds: number;
  /** What the receiving server said about the mail. */
  verdicts: { spf: string; dkim: string; dmarc: string; iprev: string; tls?: string };
  /** Both conversations were with a certificate that verified. */
  trusted: boolean;
}

/** The end of a rehearsal: what was proven, and how to play on. */
export function renderRehearsal(io: Io, view: RehearsalView): string {
  const { chalk, mark } = createStyle(io.out);
  const { verdicts } = view;
  const judge = (result: string) => (result === 'pass' ? mark.done : mark.fail);
  const name = view.sandbox === 'main' ? '' : ` --name ${view.sandbox}`;
  const proof = [
    [judge(verdicts.spf), 'SPF', verdicts.spf],
    [judge(verdicts.dkim), 'DKIM', verdicts.dkim],
    [judge(verdicts.dmarc), 'DMARC', verdicts.dmarc],
    [judge(verdicts.iprev), 'Reverse name', verdicts.iprev],
    [verdicts.tls === undefined ? mark.fail : mark.done, 'Encrypted', verdicts.tls ?? 'no'],
  ];
  const next = [
    [`smtp-setup sandbox shell${name}`, 'a root shell on the server'],
    [`smtp-setup sandbox exec${name} -- mailq`, 'one command on it'],
    [`smtp-setup sandbox run${name}`, 'init again: nothing to do, and mail flows'],
    [`smtp-setup sandbox down${name}`, 'take everything away'],
  ];
  return [
    '',
    chalk.bold(`${mark.done} Rehearsed: ${view.hostname} on ${view.image}, init in ${view.initSeconds} s.`),
    '',
    chalk.bold(`A mail from ${view.mailbox}, as the receiving server judged it`),
    ...alignColumns(proof).map((line) => `  ${line}`),
    '',
    chalk.bold('And back'),
    `  ${mark.done} The answer was delivered and read over IMAP${view.trusted ? ', with verified certificates' : ''}.`,
    '',
    chalk.bold('Play on'),
    ...alignColumns(next.map(([command = '', does = '']) => [chalk.cyan(command), chalk.dim(does)])).map(
      (line) => `  ${line}`,
    ),
  ].join('\n');
}
