/** Ages and sizes, on the command line and in messages. */
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

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `45s`, `12m03s`, `1h05m`: rounded to seconds. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}
