import { PassThrough, Writable } from 'node:stream';
import type { Streams } from '../../src/ui/io.js';

export interface CapturedStreams extends Streams {
  stdin: PassThrough & { isTTY?: boolean };
  /** Everything written so far. */
  readonly outText: string;
  readonly errText: string;
}

/** Buffers in the place of the process's streams; terminals when `tty` is given. */
export function captureStreams(options: { tty?: boolean; columns?: number } = {}): CapturedStreams {
  const stdout = new Capture(options);
  const stderr = new Capture(options);
  const stdin: CapturedStreams['stdin'] = new PassThrough();
  if (options.tty === true) stdin.isTTY = true;
  return {
    stdin,
    stdout,
    stderr,
    get outText() {
      return stdout.text;
    },
    get errText() {
      return stderr.text;
    },
  };
}

/** A stream that keeps what is written, and writes cursor movements the way Node's terminal streams do. */
class Capture extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor({ tty = false, columns = 80 }: { tty?: boolean; columns?: number }) {
    super({ decodeStrings: false });
    this.isTTY = tty;
    this.columns = columns;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }

  /** The process's own streams cannot be ended either (Node, "A note on process I/O"), whoever pipes into them. */
  override end(): this {
    return this;
  }

  cursorTo(column: number): boolean {
    return this.write(`\u001b[${column + 1}G`);
  }

  moveCursor(_columns: number, rows: number): boolean {
    return this.write(rows < 0 ? `\u001b[${-rows}A` : `\u001b[${rows}B`);
  }

  clearLine(_direction: number): boolean {
    return this.write('\u001b[K');
  }
}
