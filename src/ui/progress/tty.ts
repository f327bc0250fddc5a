import ora, { type Ora } from 'ora';
import { createStyle, type Style } from '../colors.js';
import type { Progress, ProgressEvent } from '../events.js';
import type { Io } from '../io.js';
import { cutToWidth, formatDuration, textWidth } from '../text.js';
import { type ActiveStep, ActiveSteps } from './active-steps.js';

/** After so long without a word from a step, say that it is still waited for. */
const silentMs = 10_000;
const tailLines = 20;

/**
 * For a terminal: ended steps are lines that stay, running ones (one a lane) are redrawn below with time and last line.
 * Texts of the events must be single lines, already free of control characters and secrets.
 */
export function createTtyProgress(io: Io, clock: () => number): Progress {
  const style = createStyle(io.err);
  const steps = new ActiveSteps(clock);
  const spinner = createSpinner(io, style, (frame) =>
    steps
      .list()
      .map((step) => renderLiveLine(step, frame, style, io.err.width, clock()))
      .join('\n'),
  );
  // Written through the stream while ora holds it: ora takes the live lines away and draws them again below.
  const keep = (lines: readonly string[]): void => io.err.write(`${lines.join('\n')}\n`);

  return {
    emit(event) {
      const step = steps.follow(event);
      const lines = renderPermanent(event, step, style, clock(), io.verbose);
      if (lines.length > 0) keep(lines);
      if (steps.list().length === 0) spinner.stop();
      else if (!spinner.isSpinning) spinner.start();
    },
    stop() {
      spinner.stop();
    },
  };
}

function createSpinner(io: Io, style: Style, renderLines: (frame: string) => string): Ora {
  const frames = io.err.unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['-', '\\', '|', '/'];
  let turn = 0;
  return ora({
    stream: io.err.stream,
    isEnabled: true,
    discardStdin: false,
    // ora knows one line with one mark; the block before it holds all lanes, with marks of ours.
    spinner: { interval: 120, frames: [''] },
    color: false,
    prefixText: () => {
      turn += 1;
      return renderLines(style.chalk.cyan(frames[turn % frames.length] ?? ''));
    },
  });
}

function renderLiveLine(step: ActiveStep, frame: string, style: Style, width: number, now: number): string {
  // Mark, blank, and the two blanks that ora appends.
  const room = width - 4;
  const title = cutToWidth(step.title, room, style.ellipsis);
  const elapsed = ` ${formatDuration(now - step.startedAt)}`;
  const rest = room - textWidth(title) - elapsed.length - 2;
  const detail = rest < 12 ? '' : `  ${cutToWidth(describeState(step, now), rest, style.ellipsis)}`;
  return `${frame} ${title}${style.chalk.dim(elapsed + detail.trimEnd())}`;
}

function describeState(step: ActiveStep, now: number): string {
  if (step.waiting !== undefined) {
    const { reason, etaAt } = step.waiting;
    return etaAt === undefined || etaAt <= now ? reason : `${reason}, about ${formatDuration(etaAt - now)}`;
  }
  if (now - step.lastEventAt < silentMs) return step.lastLine;
  return `still waiting… ${step.lastLine}`;
}

function renderPermanent(
  event: ProgressEvent,
  step: ActiveStep | undefined,
  style: Style,
  now: number,
  verbose: boolean,
): string[] {
  const { chalk, mark, bar } = style;
  const elapsed =
    step === undefined || now - step.startedAt < 1000 ? '' : ` ${formatDuration(now - step.startedAt)}`;
  const title = step?.title ?? ('id' in event ? event.id : '');
  switch (event.kind) {
    case 'done':
      return [
        `${mark.done} ${title}${chalk.dim(`${event.note === undefined ? '' : `  ${event.note}`}${elapsed}`)}`,
      ];
    case 'skip':
      return [chalk.dim(`${mark.skip} ${event.title}  ${event.reason}`)];
    case 'fail':
      return [
        `${mark.fail} ${chalk.bold(title)}${chalk.dim(elapsed)}`,
        `  ${event.message}`,
        ...(event.tail ?? []).slice(-tailLines).map((line) => `  ${bar} ${line}`),
      ];
    case 'notice':
      return [`${mark[event.level]} ${event.text}`];
    case 'line':
      return verbose ? [chalk.dim(`  ${bar} ${event.text}`)] : [];
    default:
      return [];
  }
}
