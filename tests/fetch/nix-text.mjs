// Values in the two forms that the two sides take them: the text of a Nix expression, and a map of attributes.

/** @typedef {string | number | boolean} Value */
/** @typedef {string | Record<string, Value>} Argument */

/** @param {Argument} argument */
export function nixText(argument) {
  if (typeof argument === 'string') return quote(argument);
  const members = Object.entries(argument).map(([name, value]) => `${name} = ${nixValue(value)};`);
  return `{ ${members.join(' ')} }`;
}

/**
 * @param {Argument} argument
 * @returns {import('@neve/fetch').FetchArgument}
 */
export function attributeMap(argument) {
  if (typeof argument === 'string') return argument;
  return new Map(
    Object.entries(argument).map(([name, value]) => [
      name,
      typeof value === 'number' ? BigInt(value) : value,
    ]),
  );
}

/** @param {Value} value */
function nixValue(value) {
  if (typeof value === 'string') return quote(value);
  return typeof value === 'number' && value < 0 ? `(${value})` : String(value);
}

/** @param {string} text */
function quote(text) {
  return `"${text.replace(/["\\]|\$\{/g, '\\$&')}"`;
}
