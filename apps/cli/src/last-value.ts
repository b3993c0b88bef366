/**
 * What an option was given last, by a glance at the words of a command line: for the few options that are needed before it is
 * known which command it is, and so which other options there are.
 */

/** Undefined where it was not given. What comes after `--` is no option. */
export function lastValue(argv: readonly string[], option: string): string | undefined {
  const end = argv.indexOf('--');
  const words = argv.slice(0, end === -1 ? undefined : end);
  const at = words.findLastIndex((it) => it === option || it.startsWith(`${option}=`));
  const word = words[at];
  return word === option ? words[at + 1] : word?.slice(option.length + 1);
}
