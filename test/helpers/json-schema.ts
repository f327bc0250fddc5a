/** The part of JSON Schema 2020-12 that our published schemas use; enough to test that documents fit them. */
export function schemaErrors(schema: unknown, value: unknown): string[] {
  return visit(schema as Schema, value, '', schema as Schema);
}

interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
  items?: Schema;
}

function visit(schema: Schema, value: unknown, path: string, root: Schema): string[] {
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (!target) throw new Error(`the schema has no ${schema.$ref}`);
    return visit(target, value, path, root);
  }
  const errors: string[] = [];
  const say = (message: string) => errors.push(`${path || '/'}: ${message}`);
  if (schema.type !== undefined && !isType(value, schema.type))
    return [`${path || '/'}: is no ${schema.type}`];
  if (schema.const !== undefined && value !== schema.const) say(`not ${JSON.stringify(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value)) say('not one of the values');
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value))
    say('does not match the pattern');
  if (schema.minimum !== undefined && typeof value === 'number' && value < schema.minimum) say('too small');
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items)
      for (const [index, item] of value.entries())
        errors.push(...visit(items, item, `${path}/${index}`, root));
  } else if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    for (const key of schema.required ?? []) if (!(key in fields)) say(`lacks ${key}`);
    for (const [key, field] of Object.entries(fields)) {
      const known = schema.properties?.[key];
      if (known) errors.push(...visit(known, field, `${path}/${key}`, root));
      else if (schema.additionalProperties === false) say(`has the unknown field ${key}`);
    }
  }
  return errors;
}

function isType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}
