import { isDeepStrictEqual } from 'node:util';
import { Document, isMap, isScalar, type Pair } from 'yaml';
import { writeFileAtomically } from './atomic-write.js';
import type { LoadedConfig } from './parse.js';
import { type Config, domainSchema, serverSchema } from './schema.js';

const header = ` What this mail server should be. No secrets; made to be committed.
 Change it, look at \`smtp-setup plan\`, then run \`smtp-setup apply\`. Mailboxes live on the server, not here.`;

/**
 * The configuration as text. With `previous`, only what differs is touched, so that comments, order and spelling stay;
 * without, a commented file is made.
 */
export function renderConfig(config: Config, previous?: LoadedConfig): string {
  const document = previous === undefined ? createDocument(config) : previous.document.clone();
  if (previous !== undefined) updateNode(document, [], previous.config, config);
  return document.toString({ lineWidth: 0 });
}

/** Writes `smtp-setup.yaml` atomically; returns false when it already said so and was left alone. */
export async function saveConfig(path: string, config: Config, previous?: LoadedConfig): Promise<boolean> {
  if (previous !== undefined && isDeepStrictEqual(previous.config, config)) return false;
  await writeFileAtomically(path, renderConfig(config, previous));
  return true;
}

function updateNode(document: Document, path: readonly string[], before: unknown, after: unknown): void {
  if (isDeepStrictEqual(before, after)) return;
  if (
    isGroup(before) &&
    isGroup(after) &&
    isMap(path.length === 0 ? document.contents : document.getIn(path, true))
  ) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      updateNode(document, [...path, key], before[key], after[key]);
    }
    return;
  }
  if (after === undefined) {
    document.deleteIn(path);
    return;
  }
  const node = document.getIn(path, true);
  // Keeps the comment on the line and the way the value was quoted.
  if (isScalar(node) && !isGroup(after) && !Array.isArray(after)) node.value = after;
  else document.setIn(path, document.createNode(withoutDefaults(path, after)));
}

function createDocument(config: Config): Document {
  const document = new Document({
    version: 1,
    servers: mapValues(config.servers, (server, name) => withoutDefaults(['servers', name], server)),
    domains: mapValues(config.domains, (domain, name) => withoutDefaults(['domains', name], domain)),
  });
  document.commentBefore = header;
  for (const key of ['servers', 'domains']) {
    const pair = isMap(document.contents)
      ? document.contents.items.find((item: Pair) => isScalar(item.key) && item.key.value === key)
      : undefined;
    if (isScalar(pair?.key)) pair.key.spaceBefore = true;
  }
  return document;
}

/** What the schema fills in by itself need not stand in the file. */
function withoutDefaults(path: readonly string[], value: unknown): unknown {
  if (path.length !== 2 || !isGroup(value)) return value;
  const defaults: Readonly<Record<string, unknown>> =
    path[0] === 'servers' ? serverSchema.parse({ ssh: 'host' }) : domainSchema.parse({ dns: 'none' });
  return Object.fromEntries(
    Object.entries(value).filter(
      ([key, entry]) => entry !== undefined && !isDeepStrictEqual(entry, defaults[key]),
    ),
  );
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues<T>(group: Readonly<Record<string, T>>, map: (value: T, key: string) => unknown) {
  return Object.fromEntries(Object.entries(group).map(([key, value]) => [key, map(value, key)]));
}
