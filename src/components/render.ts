import { Eta } from 'eta';

/** Template name (path under `templates/`, without `.eta`) → text. */
export type TemplateTexts = ReadonlyMap<string, string>;

/** Renders one template; throws when it is unknown or prints something that is neither string nor number. */
export type Render = (template: string, data: object) => string;

/**
 * Eta set up for configuration files: no HTML escapes (its default writes `O&#39;Brien`), no swallowed newlines, and
 * nothing undefined can reach a daemon. Values are escaped in the data, by the function for the daemon's syntax.
 */
export function createRenderer(texts: TemplateTexts): Render {
  const eta = new Eta({
    autoEscape: false,
    autoTrim: false,
    autoFilter: true,
    cache: false,
    useWith: false,
    filterFunction: (value: unknown) => {
      if (typeof value === 'string' || typeof value === 'number') return String(value);
      throw new TypeError(`a template prints ${String(value)}`);
    },
  });
  return (template, data) => {
    const text = texts.get(template);
    if (text === undefined) throw new Error(`there is no template ${template}`);
    try {
      return eta.renderString(text, data);
    } catch (cause) {
      throw new Error(`template ${template}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  };
}
