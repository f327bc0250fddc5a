import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { apiErrors } from './api-error.js';

export interface TokenSettings {
  value: string;
  /** `edit` is Zone:Read + DNS:Edit, `read` is Zone:Read + DNS:Read. */
  access: 'read' | 'edit';
  /** Names of the zones it reaches. */
  zones: 'all' | readonly string[];
  status?: 'active' | 'disabled' | 'expired';
  /** Expires after so many authenticated calls. */
  callsLeft?: number;
  /** Owned by the account: `/user/tokens/verify` does not know it. */
  accountOwned?: boolean;
}

export interface Token extends TokenSettings {
  id: string;
}

/**
 * The API tokens of the emulated account.
 * https://developers.cloudflare.com/fundamentals/api/get-started/create-token/
 */
export class TokenStore {
  private readonly tokens = new Map<string, Token>();

  add(settings: TokenSettings): Token {
    const token = { ...settings, id: randomBytes(16).toString('hex') };
    this.tokens.set(token.value, token);
    return token;
  }

  /** From now on the token is refused; "expired midway", at the moment a test chooses. */
  expire(value: string): void {
    const token = this.tokens.get(value);
    if (!token) throw new Error('no such token');
    this.tokens.set(value, { ...token, status: 'expired' });
  }

  /** The caller's token, or the error that the API gives (`refused` for a token it does not accept). Global keys are not part of the emulated account. */
  authenticate(headers: IncomingHttpHeaders, refused: () => Error): Token {
    const authorization = headers.authorization;
    if (headers['x-auth-key'] !== undefined || headers['x-auth-email'] !== undefined) {
      throw apiErrors.malformedKey();
    }
    if (authorization === undefined) throw apiErrors.missingCredentials();
    const value = /^Bearer ([A-Za-z0-9_-]{30,})$/.exec(authorization)?.[1];
    if (value === undefined) throw apiErrors.malformedToken();
    const token = this.tokens.get(value);
    if (!token || (token.status ?? 'active') !== 'active') throw refused();
    if (token.callsLeft === undefined) return token;
    if (token.callsLeft <= 0) {
      this.expire(value);
      throw refused();
    }
    const counted = { ...token, callsLeft: token.callsLeft - 1 };
    this.tokens.set(value, counted);
    return counted;
  }
}

export const reaches = (token: Token, zone: string): boolean =>
  token.zones === 'all' || token.zones.includes(zone);
