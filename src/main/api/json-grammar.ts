import { ApiError } from './api-error.ts';

type Schema = Record<string, unknown>;

/** Deeper ones are no description of data, and may be endless. */
const deepest = 64;
/** llama.cpp unrolls repetitions; a longer one takes it seconds, and is left to the model. */
const mostRepetitions = 1000;

const rules = {
  ws: String.raw`| " " | "\n" [ \t]{0,20}`,
  char: String.raw`[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
  string: String.raw`"\"" char* "\""`,
  integer: `"-"? ("0" | [1-9] [0-9]{0,15})`,
  number: `integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?`,
  boolean: `"true" | "false"`,
  null: `"null"`,
  any: 'object | array | string | number | boolean | null',
  object: `"{" ws (string ws ":" ws any ws ("," ws string ws ":" ws any ws)*)? "}"`,
  array: `"[" ws (any ws ("," ws any ws)*)? "]"`,
  date: `[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [1-2] [0-9] | "3" [0-1])`,
  time: `([0-1] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [-+] [0-2] [0-9] ":" [0-5] [0-9])`,
  uuid: `[0-9a-f]{8} "-" [0-9a-f]{4} "-" [1-8] [0-9a-f]{3} "-" [89ab] [0-9a-f]{3} "-" [0-9a-f]{12}`,
};

const formats: Record<string, string> = {
  date: String.raw`"\"" date "\""`,
  time: String.raw`"\"" time "\""`,
  'date-time': String.raw`"\"" date "T" time "\""`,
  uuid: String.raw`"\"" uuid "\""`,
};

/** What changes what fits in a way that a grammar cannot tell. Bounds of values, in contrast, are left to the model. */
const impossible = ['not', 'if', 'patternProperties', 'dependentSchemas', 'dependentRequired', 'contains'];

/** What may be written so that any object comes of it, in GBNF. */
export const anyObjectGrammar = grammarOf('object', []);

/**
 * What may be written so that it fits a JSON schema, in GBNF: types, properties in their order, those that may be left out,
 * lists, choices, constants, references, lengths of texts and lists. An object has no properties but those that are declared,
 * unless the schema says so. Errors: an `ApiError` for what a grammar cannot tell.
 */
export function jsonGrammar(schema: Schema): string {
  const writer = new GrammarWriter(schema);
  return grammarOf(writer.rule(schema, []), writer.lines);
}

function grammarOf(root: string, lines: readonly string[]): string {
  const basic = Object.entries(rules).map(([name, body]) => `${name} ::= ${body}`);
  return [`root ::= ${root}`, ...lines, ...basic].join('\n');
}

class GrammarWriter {
  readonly #root: Schema;
  readonly lines: string[] = [];
  /** Rules of what references name, so that one may name itself. */
  readonly #references = new Map<string, string>();

  constructor(root: Schema) {
    this.#root = root;
  }

  /** What stands for a schema in a rule. `path`: where it is. */
  rule(schema: unknown, path: readonly string[]): string {
    if (path.length > deepest) throw refused(path, 'is too deep');
    if (schema === true || schema === undefined) return 'any';
    if (!isSchema(schema)) throw refused(path, 'is no schema');
    const odd = impossible.find((keyword) => schema[keyword] !== undefined);
    if (odd !== undefined) throw refused(path, `has "${odd}", which Puna cannot hold a model to`);
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref, path);
    if (schema.const !== undefined) return literal(schema.const);
    if (Array.isArray(schema.enum)) return this.#choice(schema.enum.map(literal), path);
    const choices = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(choices)) {
      return this.#choice(
        choices.map((each, index) => this.rule(each, [...path, String(index)])),
        path,
      );
    }
    if (Array.isArray(schema.allOf)) {
      if (schema.allOf.length !== 1) throw refused(path, 'has "allOf", which Puna cannot hold a model to');
      return this.rule(schema.allOf[0], path);
    }
    return this.#typed(schema, path);
  }

  #typed(schema: Schema, path: readonly string[]): string {
    const { type } = schema;
    if (Array.isArray(type)) {
      return this.#choice(
        type.map((each: unknown) => this.rule({ ...schema, type: each }, path)),
        path,
      );
    }
    switch (type ?? impliedType(schema)) {
      case undefined:
        return 'any';
      case 'string':
        return this.#string(schema);
      case 'array':
        return this.#array(schema, path);
      case 'object':
        return this.#object(schema, path);
      case 'integer':
      case 'number':
      case 'boolean':
      case 'null':
        return String(type);
      default:
        throw refused(path, `has the type ${JSON.stringify(type)}, which JSON does not have`);
    }
  }

  #string({ format, minLength, maxLength }: Schema): string {
    const known = typeof format === 'string' ? formats[format] : undefined;
    if (known !== undefined) return this.#add(known);
    const times = repetition(minLength, maxLength);
    return times === '*' ? 'string' : this.#add(String.raw`"\"" char${times} "\""`);
  }

  #array(schema: Schema, path: readonly string[]): string {
    const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    const fixed = first.map((each, index) => this.rule(each, [...path, String(index)]));
    if (schema.items === false || fixed.length > 0) {
      return this.#add(`"[" ws ${fixed.map((item) => `${item} ws`).join(' "," ws ')} "]"`);
    }
    const item = this.rule(schema.items, [...path, 'items']);
    const least = count(schema.minItems) ?? 0;
    const most = count(schema.maxItems);
    if (most === 0) return this.#add(`"[" ws "]"`);
    const others = repetition(Math.max(0, least - 1), most === undefined ? undefined : most - 1);
    const items = `${item} ws ("," ws ${item} ws)${others}`;
    return this.#add(least > 0 ? `"[" ws ${items} "]"` : `"[" ws (${items})? "]"`);
  }

  #object(schema: Schema, path: readonly string[]): string {
    const properties = Object.entries(isSchema(schema.properties) ? schema.properties : {});
    const { additionalProperties: more } = schema;
    // An object of which nothing is declared is any.
    const isOpen = more === true || isSchema(more) || (properties.length === 0 && more !== false);
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const pairs = properties.map(([name, each]) => ({
      text: `${literal(name)} ws ":" ws ${this.rule(each, [...path, name])} ws`,
      required: required.has(name),
    }));
    const other = isOpen
      ? `string ws ":" ws ${this.rule(isSchema(more) ? more : true, [...path, '*'])} ws`
      : null;
    // From the end: what may follow when something stands there already, and when nothing does.
    let after = other === null ? '' : this.#add(`("," ws ${other})*`);
    let begin = other === null ? '' : this.#add(`(${other} ${after})?`);
    for (const pair of pairs.toReversed()) {
      const first = `${pair.text} ${after}`;
      begin = this.#add(pair.required ? first : `${first} | ${begin === '' ? '""' : begin}`);
      after = this.#add(pair.required ? `"," ws ${first}` : `("," ws ${pair.text})? ${after}`);
    }
    return this.#add(`"{" ws ${begin} "}"`);
  }

  #reference(reference: string, path: readonly string[]): string {
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const name = `r${this.lines.length}`;
    this.#references.set(reference, name);
    // Its place is taken before what it names is known.
    const line = this.lines.push('') - 1;
    this.lines[line] = `${name} ::= ${this.rule(this.#find(reference, path), [...path, reference])}`;
    return name;
  }

  #find(reference: string, path: readonly string[]): unknown {
    if (!reference.startsWith('#')) throw refused(path, `refers to "${reference}", which is not in it`);
    const steps = reference.split('/').slice(1);
    const found = steps.reduce<unknown>(
      (at, step) => (isSchema(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
      this.#root,
    );
    if (found === undefined) throw refused(path, `refers to "${reference}", which is not in it`);
    return found;
  }

  #choice(choices: readonly string[], path: readonly string[]): string {
    if (choices.length === 0) throw refused(path, 'leaves no choice');
    return this.#add(choices.join(' | '));
  }

  #add(body: string): string {
    const name = `r${this.lines.length}`;
    this.lines.push(`${name} ::= ${body}`);
    return name;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function impliedType(schema: Schema): string | undefined {
  if (schema.properties !== undefined) return 'object';
  return schema.items === undefined && schema.prefixItems === undefined ? undefined : 'array';
}

/** A value as JSON writes it, as a text of a grammar. */
function literal(value: unknown): string {
  const text = JSON.stringify(value).replace(/["\\]/g, String.raw`\$&`);
  return `"${text}"`;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && value <= mostRepetitions ? Math.max(0, Math.ceil(value)) : undefined;
}

function repetition(least: unknown, most: unknown): string {
  const [from, to] = [count(least) ?? 0, count(most)];
  if (from === 0 && to === undefined) return '*';
  return `{${from},${to === undefined ? '' : Math.max(from, to)}}`;
}

function refused(path: readonly string[], what: string): ApiError {
  const where = path.length === 0 ? 'The schema' : `The schema at "${path.join('.')}"`;
  return new ApiError(400, `${where} ${what}.`, { param: 'response_format' });
}
