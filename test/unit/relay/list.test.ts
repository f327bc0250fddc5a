import { describe, expect, it } from 'vitest';
import { relayPresets, relayTombstones } from '../../../src/relay/presets/index.js';
import { renderRelayList, renderRelayPreset } from '../../../src/ui/report/relay.js';

describe('relay list', () => {
  it('has a line for every provider, and a word on those that are no more', () => {
    const text = renderRelayList(relayPresets, relayTombstones);
    for (const { id } of [...relayPresets, ...relayTombstones])
      expect(text).toMatch(new RegExp(`^${id}\\b`, 'm'));
    expect(text).toMatch(/^sendgrid .*user apikey.*include:sendgrid\.net$/m);
    expect(text).toMatch(/^custom .*--host/m);
  });

  it.each(relayPresets.map((preset) => [preset.id, preset] as const))('tells all about %s', (_id, preset) => {
    const text = renderRelayPreset(preset);
    for (const word of ['host', 'ports', 'user', 'password', 'SPF', 'DKIM', 'limits', preset.source.url])
      expect(text).toContain(word);
  });
});
