import { describe, expect, it } from 'vitest';
import { sameMeaning } from '../../../src/dns/same-meaning.js';
import { dkimPublicKey } from '../../helpers/dns-lab.js';

const same = (a: string, b: string) => sameMeaning({ type: 'TXT', text: a }, { type: 'TXT', text: b });
const key = `v=DKIM1; k=rsa; p=${dkimPublicKey}`;

describe('sameMeaning', () => {
  it.each([
    ['v=spf1 a -all', 'V=SPF1  A -ALL '],
    ['v=DMARC1; p=none; rua=mailto:a@b.example', 'v=DMARC1;rua=mailto:a@b.example;p=none;'],
    ['v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1;rua=mailto:a@b.example'],
    [key, `p=${dkimPublicKey.slice(0, 50)} ${dkimPublicKey.slice(50)}`],
    [key, `v=DKIM1; p=${dkimPublicKey}; n=note`],
    ['anything', 'anything'],
  ])('%j and %j mean the same', (a, b) => {
    expect(same(a, b)).toBe(true);
  });
  it.each([
    ['v=spf1 a -all', 'v=spf1 a ~all'],
    ['v=spf1 a mx -all', 'v=spf1 mx a -all'],
    ['v=DMARC1; p=none', 'v=DMARC1; p=reject'],
    ['v=DMARC1; p=none', 'p=none; v=DMARC1'],
    ['v=DMARC1; p=none', 'v=DMARC1; p=none; p=none'],
    [key, `${key}; t=y`],
    [key, 'v=DKIM1; k=rsa; p='],
    [key, key.replace('k=rsa', 'k=ed25519')],
    ['anything', 'Anything'],
  ])('%j and %j do not', (a, b) => {
    expect(same(a, b)).toBe(false);
  });
  it('compares other types by their canonical data', () => {
    expect(
      sameMeaning({ type: 'AAAA', address: '2001:db8::1' }, { type: 'AAAA', address: '2001:DB8:0::1' }),
    ).toBe(true);
    expect(sameMeaning({ type: 'TXT', text: 'a' }, { type: 'CNAME', target: 'a' })).toBe(false);
  });
});
