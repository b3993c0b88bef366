// What kind of failure an error output tells of: the text of its last `error:` line, without
// positions and without what belongs to the run rather than to the failure.

/**
 * @param {string} stderr
 * @returns {string} empty when the output tells of no error
 */
export function failureKind(stderr) {
  const line = stderr.split('\n').findLast((text) => /^\s*error:/.test(text));
  if (line === undefined) return '';
  return line
    .replace(/^\s*error:\s*/, '')
    .replaceAll(/ at («\w+»|\/\S*?):\d+:\d+/g, ' at POSITION')
    .replaceAll(/(«\w+»|\/[^\s:'"]*):\d+:\d+/g, 'POSITION')
    .trim();
}
