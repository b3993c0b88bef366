/** Ages and sizes on the command line. */
import { UsageError } from './usage-error.ts';

/** In milliseconds: `90m`, `12h`, `30d`, `4w`. Throws `UsageError`. */
export function parseAge(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (amount === undefined) throw new UsageError(`'${text}' is no age; write 90m, 12h, 30d or 4w`);
  const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return Number(amount) * (seconds[unit] ?? 1) * 1000;
}

/** In bytes: `500M`, `20G`. Throws `UsageError`. */
export function parseSize(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([KMGT]?)$/.exec(text) ?? [];
  if (amount === undefined) throw new UsageError(`'${text}' is no size; write 500M or 20G`);
  const bytes = Number(amount) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit);
  if (!Number.isSafeInteger(bytes)) throw new UsageError(`'${text}' is too large`);
  return bytes;
}

/** A natural number. Throws `UsageError`, which names the option. */
export function parseCount(text: string, option: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${option} '${text}' is not a number from 1`);
}
