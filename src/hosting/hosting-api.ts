import type { ProviderContext, ProviderDefinition } from '../dns/providers/provider.js';

/** The reverse name (PTR) of an address, as the hosting provider keeps it. */
export interface ReverseEntry {
  name?: string;
  /** Nobody chose it: there is none, or it is what every address of the provider has. */
  isDefault: boolean;
}

/** The reverse names of the addresses that an account has. */
export interface ReverseNames {
  /** Undefined when the address is none of the account's. */
  read(address: string): Promise<ReverseEntry | undefined>;
  /**
   * Sets it and reads it back; setting the same name twice does no harm. Undefined gives back what the provider calls the
   * address by itself. Throws SetupError.
   */
  set(address: string, name: string | undefined): Promise<void>;
}

/** A hosting provider whose API sets PTR records. */
export interface HostingApi {
  /** Of the entry in `providers.ts` by which the server's firmware is recognised. */
  hosting: string;
  title: string;
  /** The DNS provider whose credentials work here too; nobody is asked for more of them. */
  account: ProviderDefinition;
  open(context: ProviderContext): ReverseNames;
}
