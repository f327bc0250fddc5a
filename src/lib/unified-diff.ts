const context = 3;

interface Edit {
  kind: ' ' | '-' | '+';
  line: string;
}

/**
 * The lines of a unified diff (POSIX diff -u) from `before` to `after`, without the two file-name lines; empty when
 * they are equal. For configuration files: quadratic in the number of lines that really differ.
 */
export function unifiedDiff(before: string, after: string): string[] {
  const edits = compareLines(splitLines(before), splitLines(after));
  const output: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  let index = 0;
  while (index < edits.length) {
    const next = edits.findIndex((edit, at) => at >= index && edit.kind !== ' ');
    if (next < 0) break;
    const start = Math.max(index, next - context);
    oldLine += start - index;
    newLine += start - index;
    const end = findEnd(edits, next);
    const hunk = edits.slice(start, end);
    const oldCount = hunk.filter((edit) => edit.kind !== '+').length;
    const newCount = hunk.filter((edit) => edit.kind !== '-').length;
    output.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@`);
    output.push(...hunk.map((edit) => edit.kind + edit.line));
    oldLine += oldCount;
    newLine += newCount;
    index = end;
  }
  return output;
}

function range(line: number, count: number): string {
  if (count === 1) return String(line);
  return `${count === 0 ? line - 1 : line},${count}`;
}

/** A hunk goes on until more than twice the context is unchanged. */
function findEnd(edits: readonly Edit[], from: number): number {
  let last = from;
  for (let at = from; at < edits.length && at - last <= 2 * context + 1; at += 1)
    if (edits[at]?.kind !== ' ') last = at;
  return Math.min(edits.length, last + context + 1);
}

function splitLines(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines[lines.length - 1] += '\n\\ No newline at end of file';
  return lines;
}

function compareLines(before: readonly string[], after: readonly string[]): Edit[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (line: string): Edit => ({ kind: ' ', line });
  return [
    ...before.slice(0, head).map(same),
    ...compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Longest common subsequence by dynamic programming; over 4 million cells the middle is shown as one replacement. */
function compareMiddle(before: readonly string[], after: readonly string[]): Edit[] {
  const removed = before.map((line): Edit => ({ kind: '-', line }));
  const added = after.map((line): Edit => ({ kind: '+', line }));
  if (before.length * after.length > 4_000_000) return [...removed, ...added];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      edits.push({ kind: ' ', line: before[i] ?? '' });
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) edits.push(removed[i++] as Edit);
    else edits.push(added[j++] as Edit);
  }
  return [...edits, ...removed.slice(i), ...added.slice(j)];
}
