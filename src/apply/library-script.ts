const core = 'core.sh';

/**
 * A script for `sh` of the run library's files that its calls need, found by the names of functions. For what is asked of a
 * server outside a run. `texts`: templates/run/ by file name; `lines`: what comes after them.
 */
export function libraryScript(texts: ReadonlyMap<string, string>, lines: readonly string[]): string {
  const functions = new Map<string, { file: string; body: string }>();
  // Up to the next one: a program in another language may have its braces in between.
  for (const [file, text] of texts)
    for (const part of text.replace(/^\s*#.*$/gm, '').split(/^(?=[a-z_]+\(\) \{)/m))
      for (const [, name = ''] of part.matchAll(/^([a-z_]+)\(\) \{/g))
        functions.set(name, { file, body: part });
  const files = new Set([core]);
  const reached = new Set<string>();
  const reach = (text: string) => {
    for (const name of text.match(/\b[a-z_]+\b/g) ?? []) {
      const known = functions.get(name);
      if (known === undefined || reached.has(name)) continue;
      reached.add(name);
      files.add(known.file);
      reach(known.body);
    }
  };
  reach(lines.join('\n'));
  return [...[...files].map((file) => texts.get(file) ?? ''), ...lines, ''].join('\n');
}
