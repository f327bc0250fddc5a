import { type Document, isMap, isNode, isPair, isScalar } from 'yaml';
import type { z } from 'zod';
import { nearestWord } from '../lib/nearest-word.js';

type Path = readonly PropertyKey[];

/** One schema violation as sentences, each with the place it is about. */
export function describeIssue(issue: z.core.$ZodIssue): { path: Path; text: string }[] {
  const place = issue.path.map(String).join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        text: `unknown key "${key}"${suggest(key, issue.path)}`,
      }));
    case 'invalid_key':
      return [
        { path: issue.path, text: `${place}: ${issue.issues.map((inner) => inner.message).join(' ')}` },
      ];
    case 'invalid_value': {
      if (place === 'version')
        return [{ path: issue.path, text: 'version must be 1; a newer smtp-setup may know others' }];
      return [{ path: issue.path, text: `${place} must be ${issue.values.map(String).join(' or ')}` }];
    }
    case 'invalid_type':
      return [{ path: issue.path, text: describeType(place, issue.expected, issue.input) }];
    default:
      return [{ path: issue.path, text: `${place}: ${issue.message}` }];
  }
}

function describeType(place: string, expected: string, input: unknown): string {
  const wanted = expected === 'record' || expected === 'object' ? 'a group of keys' : `a ${expected}`;
  return input === undefined ? `${place} is missing; it must be ${wanted}` : `${place} must be ${wanted}`;
}

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  '': ['version', 'servers', 'domains'],
  servers: [
    'ssh',
    'identity',
    'hostKey',
    'profile',
    'acmeEmail',
    'resolver',
    'ipv4',
    'ipv6',
    'forwarder',
    'trustAnchor',
  ],
  domains: ['server', 'dns', 'mail', 'dmarc', 'ttl', 'records', 'policy', 'rua'],
};

function suggest(key: string, path: Path): string {
  const near = nearestWord(key, knownKeys[String(path[0] ?? '')] ?? []);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/** Where in the text the value at `path` stands (for a key, the key itself); its nearest parent when it is missing. */
export function findIssueOffset(document: Document, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = length === 0 ? offsetOf(document.contents) : keyOffset(document, path.slice(0, length));
    if (offset !== undefined) return offset;
  }
  return undefined;
}

function keyOffset(document: Document, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key,
    );
    return pair === undefined ? undefined : offsetOf(pair.key);
  }
  return offsetOf(document.getIn(path, true));
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
