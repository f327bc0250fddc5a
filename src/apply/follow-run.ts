import { StringDecoder } from 'node:string_decoder';
import { parseResult, type RunResult } from '../facts/server-state.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import type { Connection } from '../ssh/connection.js';
import { parseEvent, type RunEvent } from './run-events.js';

/** How far a run's files were read; kept by the caller over cut connections. */
export interface FollowPosition {
  events: number;
  log: number;
}

/** `gone`: the unit has ended without a result (reboot, kill). `cut`: the follower ended without saying how. */
export type FollowOutcome = RunResult | 'gone' | 'cut';

/**
 * Reads on from `position` (which it moves) until the run has ended; one round trip. Rejects with the connection's
 * error when that is lost; every event up to there has been told exactly once.
 */
export async function followRun(
  connection: Connection,
  runId: string,
  follow: string,
  position: FollowPosition,
  onEvent: (event: RunEvent) => void,
): Promise<FollowOutcome> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let outcome: FollowOutcome = 'cut';
  const result: string[] = [];
  const takeLine = (line: string) => {
    const match = /^([ELR]) (.*)$/.exec(line);
    if (line === 'G') outcome = 'gone';
    else if (match?.[1] === 'R' && match[2] === 'end') outcome = parseResult(result.join('\n')) ?? 'gone';
    else if (match?.[1] === 'R') result.push(match[2] ?? '');
    else if (match) takeText(match[1] === 'E' ? 'events' : 'log', match[2] ?? '');
  };
  const takeText = (file: 'events' | 'log', text: string) => {
    const match = /^(\d{1,12}) ?(.*)$/.exec(text);
    const offset = Number(match?.[1]);
    if (!match || offset <= position[file]) return;
    position[file] = offset;
    const event =
      file === 'events'
        ? parseEvent(match[2] ?? '')
        : { kind: 'log' as const, text: sanitizeLine(match[2] ?? '') };
    if (event) onEvent(event);
  };
  const command = `exec perl -e ${shellQuote(follow)} ${shellQuote(runId)} ${position.events} ${position.log}`;
  await connection.exec(command, {
    root: true,
    maxOutput: 256 * 1024 * 1024,
    onStdout(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = (lines.pop() ?? '').slice(-8192);
      for (const line of lines) takeLine(line);
    },
  });
  return outcome;
}
