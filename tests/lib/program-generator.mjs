// Generates random Nix programs: well scoped, nearly always well typed, and certain to end.
//
// Every expression is generated for a wanted type and in a scope of typed variables. Names come
// from a small pool so that they shadow each other often. One expression in a while is of
// another type than wanted, which makes programs that fail: which error comes first is part of
// what such a program tests. Nothing recurses but through `rec`, where a cycle is an error.

/**
 * `ints` and `strings` are lists; `attrs` has integer values under the names of the pool;
 * `function` maps an integer to an integer.
 *
 * @typedef {"int" | "float" | "bool" | "string" | "ints" | "strings" | "attrs" | "function"} Type
 * @typedef {ReadonlyMap<string, Type>} Scope
 */

/** @type {readonly Type[]} */
const types = ['int', 'float', 'bool', 'string', 'ints', 'strings', 'attrs', 'function'];
const variableNames = ['a', 'b', 'c', 'x', 'y', 'f', 'value', "xs'"];
const attributeNames = ['a', 'b', 'c', 'x', 'y', 'long-name', 'or', '_1'];
const quotedNames = ['"a"', '"two words"', '"${"x"}"', '"b"'];
const stringPieces = ['', 'a', 'b', 'abc', 'é', 'x y', '1.2', '$', '\\n', '\\"', '\\${', "''", '/nix'];

export class ProgramGenerator {
  #random;

  /** @param {import("./random.mjs").Random} random */
  constructor(random) {
    this.#random = random;
  }

  /** A whole program of a random type. */
  program() {
    return this.#expression(this.#random.pick(types), new Map(), 3 + this.#random.below(5));
  }

  /**
   * @param {Type} type
   * @param {Scope} scope
   * @param {number} depth how many levels may still be nested
   * @returns {string} an expression that needs no parentheses around it
   */
  #expression(type, scope, depth) {
    const random = this.#random;
    if (random.oneIn(60)) return this.#expression(random.pick(types), scope, depth);
    if (depth <= 0) return this.#leaf(type, scope);
    const form = random.below(10);
    if (form < 2 && depth < 3) return this.#leaf(type, scope);
    const inner = form < 5 ? this.#binding(type, scope, depth - 1) : this.#operation(type, scope, depth - 1);
    return `(${inner})`;
  }

  /**
   * @param {Type} type
   * @param {Scope} scope
   */
  #leaf(type, scope) {
    const variables = [...scope].filter(([, of]) => of === type).map(([name]) => name);
    if (variables.length > 0 && !this.#random.oneIn(3)) return this.#random.pick(variables);
    return this.#literal(type);
  }

  /** @param {Type} type @returns {string} */
  #literal(type) {
    const random = this.#random;
    switch (type) {
      case 'int':
        return random.pick(['0', '1', '2', '7', '42', '(-1)', '(-13)', '1000', '4611686018427387904']);
      case 'float':
        return random.pick(['0.0', '1.5', '2.0', '(-0.25)', '3.14159265', '.5', '1.0e6', '1.0e-7']);
      case 'bool':
        return random.pick(['true', 'false']);
      case 'string':
        return this.#stringLiteral();
      case 'ints':
        return `[ ${this.#several(() => this.#literal('int'))} ]`;
      case 'strings':
        return `[ ${this.#several(() => this.#literal('string'))} ]`;
      case 'attrs':
        return `{ ${this.#several(() => `${random.pick(attributeNames)} = ${this.#literal('int')};`, true)} }`;
      case 'function':
        return random.pick(['(x: x)', '(x: x + 1)', '(x: y: y) 1', '(builtins.add 3)', '(_: 5)']);
    }
  }

  #stringLiteral() {
    const text = this.#several(() => this.#random.pick(stringPieces)).replaceAll(' ', '');
    if (!this.#random.oneIn(4) || /[\\$]|''/.test(text)) return `"${text}"`;
    return `''\n    ${text}\n      ${text}\n  ''`;
  }

  /**
   * Some pieces of text. Where `distinct` is set no piece comes twice by its first word.
   *
   * @param {() => string} piece
   * @param {boolean} [distinct]
   */
  #several(piece, distinct = false) {
    const pieces = Array.from({ length: this.#random.below(4) }, piece);
    if (!distinct) return pieces.join(' ');
    return [...new Map(pieces.map((text) => [text.split(' ')[0], text])).values()].join(' ');
  }

  /**
   * A form that binds names, or chooses, around an expression of the wanted type.
   *
   * @param {Type} type
   * @param {Scope} scope
   * @param {number} depth
   * @returns {string}
   */
  #binding(type, scope, depth) {
    const random = this.#random;
    const name = random.pick(variableNames);
    const of = random.pick(types);
    const inside = new Map(scope).set(name, of);
    const value = () => this.#expression(of, scope, depth);
    const body = () => this.#expression(type, inside, depth);
    const here = () => this.#expression(type, scope, depth);
    const condition = () => this.#expression('bool', scope, depth);
    switch (random.below(16)) {
      case 0:
      case 1:
        return this.#letExpression(type, scope, depth);
      case 2:
        return `(${name}: ${body()}) ${value()}`;
      case 3:
        return `({ ${name}, ... }: ${body()}) { ${name} = ${value()}; unused = throw "unused"; }`;
      case 4:
        return `({ ${name} ? ${value()}, other ? 1 }@args: ${body()}) { ${random.pick(['', 'other = 2;'])} }`;
      case 5:
        return `with { ${name} = ${value()}; }; ${body()}`;
      case 6:
        return `if ${condition()} then ${here()} else ${here()}`;
      case 7:
        return `assert ${this.#random.oneIn(8) ? condition() : 'true'}; ${here()}`;
      case 8:
        return `rec { ${name} = ${value()}; result = ${body()}; }.result`;
      case 9:
        return `{ ${name} = ${here()}; }.${name} or ${here()}`;
      case 10:
        return `let result = ${here()}; source = { inherit result; }; in let inherit (source) result; in result`;
      case 11:
        return `builtins.seq ${value()} ${here()}`;
      case 12:
        return `builtins.head [ ${here()} ${value()} ]`;
      case 13:
        return `let attempt = builtins.tryEval ${here()}; in if attempt.success then attempt.value else ${here()}`;
      case 14:
        return `let ${name} = ${value()}; in builtins.deepSeq ${name} ${body()}`;
      default:
        return `builtins.elemAt [ ${value()} ${here()} ] 1`;
    }
  }

  /**
   * @param {Type} type
   * @param {Scope} scope
   * @param {number} depth
   */
  #letExpression(type, scope, depth) {
    const inside = new Map(scope);
    const bindings = [];
    for (const name of new Set([this.#random.pick(variableNames), this.#random.pick(variableNames)])) {
      const of = this.#random.pick(types);
      // A name that the binding shadows must not be used in it, or it would mean itself.
      const visible = new Map(inside);
      visible.delete(name);
      bindings.push(`${name} = ${this.#expression(of, visible, depth)};`);
      inside.set(name, of);
    }
    if (this.#random.oneIn(2)) bindings.reverse();
    return `let ${bindings.join(' ')} in ${this.#expression(type, inside, depth)}`;
  }

  /**
   * An operator or a builtin that yields the wanted type.
   *
   * @param {Type} type
   * @param {Scope} scope
   * @param {number} depth
   * @returns {string}
   */
  #operation(type, scope, depth) {
    const of = (/** @type {Type} */ wanted) => this.#expression(wanted, scope, depth);
    const functionOf = (/** @type {Type} */ from, /** @type {Type} */ to) => {
      const name = this.#random.pick(variableNames);
      return `(${name}: ${this.#expression(to, new Map(scope).set(name, from), depth - 1)})`;
    };
    const make = this.#random.pick(operations[type]);
    return make({
      of,
      functionOf,
      pick: (items) => this.#random.pick(items),
      quoted: () => this.#random.pick(quotedNames),
    });
  }
}

/**
 * @typedef {object} Parts
 * @property {(type: Type) => string} of an operand
 * @property {(from: Type, to: Type) => string} functionOf a function literal
 * @property {<Item>(items: readonly Item[]) => Item} pick
 * @property {() => string} quoted an attribute name in quotes
 */

/** @type {Record<Type, readonly ((parts: Parts) => string)[]>} */
const operations = {
  int: [
    ({ of, pick }) => `${of('int')} ${pick(['+', '-', '*'])} ${of('int')}`,
    ({ of }) => `${of('int')} / ${of('int')}`,
    ({ of }) => `- ${of('int')}`,
    ({ of }) => `builtins.length ${of('ints')}`,
    ({ of }) => `builtins.stringLength ${of('string')}`,
    ({ of }) => `${of('function')} ${of('int')}`,
    ({ of, pick }) => `${of('attrs')}.${pick(attributeNames)} or ${of('int')}`,
    ({ of, pick }) => `${of('attrs')}.${pick(attributeNames)}`,
    ({ of, functionOf }) => `builtins.foldl' (acc: ${functionOf('int', 'int')}) ${of('int')} ${of('ints')}`,
    ({ of }) => `builtins.foldl' builtins.add ${of('int')} ${of('ints')}`,
    ({ of, pick }) =>
      `builtins.${pick(['bitAnd', 'bitOr', 'bitXor', 'add', 'sub', 'mul', 'div'])} ${of('int')} ${of('int')}`,
    ({ of, pick }) => `builtins.${pick(['floor', 'ceil'])} ${of('float')}`,
    ({ of }) => `builtins.compareVersions ${of('string')} ${of('string')}`,
    ({ of }) => `builtins.fromJSON (builtins.toJSON ${of('int')})`,
    ({ of }) => `builtins.elemAt ${of('ints')} ${of('int')}`,
  ],
  float: [
    ({ of, pick }) => `${of('float')} ${pick(['+', '-', '*', '/'])} ${of('float')}`,
    ({ of, pick }) => `${of('int')} ${pick(['+', '-', '*'])} ${of('float')}`,
    ({ of }) => `- ${of('float')}`,
  ],
  bool: [
    ({ of, pick }) => `${of('bool')} ${pick(['&&', '||', '->', '==', '!='])} ${of('bool')}`,
    ({ of }) => `! ${of('bool')}`,
    ({ of, pick }) => `${of('int')} ${pick(['<', '<=', '>', '>=', '==', '!='])} ${of('int')}`,
    ({ of, pick }) => `${of('int')} ${pick(['<', '>=', '=='])} ${of('float')}`,
    ({ of, pick }) => `${of('string')} ${pick(['<', '<=', '==', '!='])} ${of('string')}`,
    ({ of, pick }) => `${of('ints')} ${pick(['<', '==', '!='])} ${of('ints')}`,
    ({ of }) => `${of('attrs')} == ${of('attrs')}`,
    ({ of, pick }) => `${of('attrs')} ? ${pick(attributeNames)}`,
    ({ of, quoted }) => `${of('attrs')} ? ${quoted()}.a`,
    ({ of, functionOf, pick }) =>
      `builtins.${pick(['any', 'all'])} ${functionOf('int', 'bool')} ${of('ints')}`,
    ({ of }) => `builtins.elem ${of('int')} ${of('ints')}`,
    ({ of }) => `(builtins.tryEval ${of('int')}).success`,
    ({ of, pick }) =>
      `builtins.${pick(['isInt', 'isString', 'isAttrs', 'isList', 'isFunction'])} ${of(pick(types))}`,
  ],
  string: [
    ({ of }) => `${of('string')} + ${of('string')}`,
    ({ of }) => `"<\${${of('string')}}>"`,
    ({ of }) => `''\n  \${${of('string')}}\n    end''`,
    ({ of }) => `toString ${of('int')}`,
    ({ of }) => `toString ${of('ints')}`,
    ({ of }) => `toString ${of('float')}`,
    ({ of }) => `builtins.concatStringsSep ${of('string')} ${of('strings')}`,
    ({ of, pick }) => `builtins.substring ${pick(['0', '1', '2'])} ${of('int')} ${of('string')}`,
    ({ of }) => `builtins.replaceStrings [ "a" "" ] [ ${of('string')} ${of('string')} ] ${of('string')}`,
    ({ of, pick }) =>
      `builtins.toJSON ${of(pick(/** @type {const} */ (['int', 'float', 'bool', 'string', 'ints', 'strings', 'attrs'])))}`,
    ({ of, pick }) => `builtins.typeOf ${of(pick(types))}`,
    ({ of }) => `builtins.hashString "sha256" ${of('string')}`,
    ({ of }) => `baseNameOf ${of('string')}`,
    ({ of }) => `(builtins.parseDrvName ${of('string')}).name`,
  ],
  ints: [
    ({ of }) => `${of('ints')} ++ ${of('ints')}`,
    ({ of }) => `[ ${of('int')} ${of('int')} ]`,
    ({ of, functionOf }) => `map ${functionOf('int', 'int')} ${of('ints')}`,
    ({ of }) => `map ${of('function')} ${of('ints')}`,
    ({ of, functionOf }) => `builtins.filter ${functionOf('int', 'bool')} ${of('ints')}`,
    ({ of }) => `builtins.sort builtins.lessThan ${of('ints')}`,
    ({ pick, functionOf }) => `builtins.genList ${functionOf('int', 'int')} ${pick(['0', '1', '5', '17'])}`,
    ({ of, functionOf }) => `builtins.concatMap ${functionOf('int', 'ints')} ${of('ints')}`,
    ({ of }) => `builtins.attrValues ${of('attrs')}`,
    ({ of }) => `builtins.tail ${of('ints')}`,
    ({ of, functionOf }) => `(builtins.partition ${functionOf('int', 'bool')} ${of('ints')}).wrong`,
    ({ of, pick }) => `builtins.catAttrs "${pick(attributeNames)}" [ ${of('attrs')} ${of('attrs')} ]`,
    ({ of }) =>
      `map (item: item.key) (builtins.genericClosure { startSet = [ { key = ${of('int')}; } ]; operator = item: if item.key < 5 && item.key > 0 then [ { key = item.key + 1; } ] else [ ]; })`,
  ],
  strings: [
    ({ of }) => `${of('strings')} ++ ${of('strings')}`,
    ({ of }) => `[ ${of('string')} ${of('string')} ]`,
    ({ of }) => `builtins.attrNames ${of('attrs')}`,
    ({ of, functionOf }) => `map ${functionOf('int', 'string')} ${of('ints')}`,
    ({ of }) => `builtins.filter builtins.isString (builtins.split "[ab]+" ${of('string')})`,
    ({ of }) => `builtins.splitVersion ${of('string')}`,
    ({ of }) => `builtins.sort (left: right: left < right) ${of('strings')}`,
  ],
  attrs: [
    ({ of }) => `${of('attrs')} // ${of('attrs')}`,
    ({ of, pick, quoted }) =>
      `{ ${pick(attributeNames.slice(0, 3))} = ${of('int')}; z.${quoted()} = ${of('int')}; }.z`,
    ({ of }) => `rec { a = ${of('int')}; b = a; c = b + a; }`,
    ({ of, pick }) => `builtins.removeAttrs ${of('attrs')} [ "${pick(attributeNames)}" ]`,
    ({ of }) => `builtins.intersectAttrs ${of('attrs')} ${of('attrs')}`,
    ({ of, functionOf }) => `builtins.mapAttrs (name: ${functionOf('int', 'int')}) ${of('attrs')}`,
    ({ of }) =>
      `builtins.listToAttrs [ { name = ${of('string')}; value = ${of('int')}; } { name = "a"; value = ${of('int')}; } ]`,
    ({ of }) => `{ \${${of('string')}} = ${of('int')}; }`,
    ({ of }) =>
      `builtins.mapAttrs (name: builtins.length) (builtins.groupBy (item: toString (item < 3)) ${of('ints')})`,
    ({ of }) =>
      `builtins.zipAttrsWith (name: values: builtins.length values) [ ${of('attrs')} ${of('attrs')} ]`,
  ],
  function: [
    ({ functionOf }) => functionOf('int', 'int'),
    ({ of }) => `builtins.add ${of('int')}`,
    ({ of, functionOf }) => `let f = ${functionOf('int', 'int')}; g = ${of('function')}; in x: f (g x)`,
    ({ of }) => `{ __functor = self: x: x + self.offset; offset = ${of('int')}; }`,
    ({ of }) => `(x: y: x - y) ${of('int')}`,
  ],
};
