import { specialAddressKind } from '../../lib/ip.js';

/**
 * Amendment A7: a hostile zone must not make CI connect into its own network. Splits addresses into those that may
 * be connected to and the reasons why others may not.
 */
export function splitReachable(
  addresses: readonly string[],
  privateNetwork: boolean,
): { allowed: string[]; refused: string[] } {
  const allowed: string[] = [];
  const refused: string[] = [];
  for (const address of addresses) {
    const kind = privateNetwork ? undefined : specialAddressKind(address);
    if (kind === undefined) allowed.push(address);
    else refused.push(`${address} (${kind})`);
  }
  return { allowed, refused };
}

/** For `AuthoritativeOptions.allowAddress`: why a name server's address is not asked. */
export function refusePrivate(privateNetwork: boolean): (address: string) => string | undefined {
  return (address) => {
    if (privateNetwork) return undefined;
    const kind = specialAddressKind(address);
    return kind === undefined ? undefined : `${kind} address`;
  };
}

/**
 * A resolver at a private, documentation or loopback address was given by hand: a private network or a rehearsal
 * (amendment A6). A public resolver given by hand says nothing about the network.
 */
export function isPrivateResolver(address: string): boolean {
  return specialAddressKind(address) !== undefined;
}
