import type { ServerModel } from './model.js';
import { atLeast } from './version.js';

/** What an installed Postfix knows: an unknown parameter pollutes the output of every command, a bad value is fatal. */
export interface PostfixFeatures {
  /** Value for smtpd_forbid_bare_newline; empty where the parameter does not exist. */
  bareNewline: 'normalize' | 'yes' | '';
  strayCrLf: boolean;
  forbidPipelining: boolean;
  hideClientSession: boolean;
}

// First patch level of each stable branch with the feature (Postfix RELEASE_NOTES and security announcements of 2023-24).
const bareNewlineNormalize = ['3.6.14', '3.7.10', '3.8.5'];
const bareNewlineYes = ['3.6.13', '3.7.9', '3.8.4'];
const unauthPipelining = ['3.6.10', '3.7.6', '3.8.1'];

/** The features of the model's Postfix version, distribution backports included. */
export function postfixFeatures(model: Pick<ServerModel, 'os' | 'versions'>): PostfixFeatures {
  const version = model.versions.postfix;
  // Ubuntu 22.04 stays at 3.6.4 and carries the fix as a patch (USN-6591-2).
  const patchedUbuntu = model.os.id === 'ubuntu' && version === '3.6.4';
  const normalize = patchedUbuntu || inBranch(version, bareNewlineNormalize);
  return {
    bareNewline: normalize ? 'normalize' : inBranch(version, bareNewlineYes) ? 'yes' : '',
    strayCrLf: inBranch(version, bareNewlineYes),
    forbidPipelining: inBranch(version, unauthPipelining),
    hideClientSession: atLeast(version, '3.10'),
  };
}

function inBranch(version: string, firsts: readonly string[]): boolean {
  if (atLeast(version, '3.9')) return true;
  return firsts.some((first) => {
    const branch = first.split('.').slice(0, 2).join('.');
    return version.startsWith(`${branch}.`) && atLeast(version, first);
  });
}
