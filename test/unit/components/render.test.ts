import { describe, expect, test } from 'vitest';
import { createRenderer } from '../../../src/components/render.js';

const render = (text: string, data: object = {}) => createRenderer(new Map([['demo', text]]))('demo', data);

describe('the renderer', () => {
  test('writes values as they are and keeps every newline', () => {
    expect(
      render('name = <%= it.name %>\n\nend <%= it.count %>\n', { name: "O'Brien & <x>", count: 3 }),
    ).toBe("name = O'Brien & <x>\n\nend 3\n");
  });

  test('takes a line away only where the template asks for it', () => {
    expect(render('a\n<% if (it.on) { -%>\nb\n<% } -%>\nc\n', { on: true })).toBe('a\nb\nc\n');
    expect(render('a\n<% if (it.on) { -%>\nb\n<% } -%>\nc\n', { on: false })).toBe('a\nc\n');
  });

  test.each([['undefined'], ['null'], ['{}'], ['true']])('refuses to print %s', (value) => {
    expect(() => render(`x <%= ${value} %>`)).toThrow(/template demo: .*a template prints/);
  });

  test('refuses a name that the data does not have', () => {
    expect(() => render('x <%= it.missing %>')).toThrow('a template prints undefined');
  });

  test('names the template that does not exist', () => {
    expect(() => createRenderer(new Map())('dovecot/9.9', {})).toThrow('there is no template dovecot/9.9');
  });
});
