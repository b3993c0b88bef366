/**
 * The parts that all messages are made of. Numbers are 64 bits wide on the wire; how large they may be is what the type
 * in Nix holds. Texts are bytes to Nix: what is not UTF-8 is replaced where a text is read, so `bytes` reads what must
 * come out as it went in.
 */
import { decodeUtf8 } from '@neve/bytes';
import { NixCompatError } from '../nix-compat-error.ts';
import type { WireCodec } from './wire-codec.ts';

function numberUpTo(max: number): WireCodec<number> {
  return {
    read: (from) => from.readNumber(max),
    write(to, value) {
      if (value > max) throw new Error(`${value} is larger than ${max}`);
      to.number(value);
    },
  };
}

export const uint8: WireCodec<number> = numberUpTo(0xff);

/** What Nix calls an int. */
export const uint32: WireCodec<number> = numberUpTo(0xffff_ffff);

/** A size in bytes, a count or a time in seconds. What a `number` cannot hold is refused. */
export const size: WireCodec<number> = numberUpTo(Number.MAX_SAFE_INTEGER);

export const uint64: WireCodec<bigint> = {
  read: (from) => from.readUint64(),
  write: (to, value) => to.uint64(value),
};

/** Anything but zero is true. */
export const bool: WireCodec<boolean> = {
  *read(from) {
    return (yield* from.readUint64()) !== 0n;
  },
  write: (to, value) => to.bool(value),
};

export const bytes: WireCodec<Uint8Array> = {
  read: (from) => from.readBytes(),
  write: (to, value) => to.bytes(value),
};

export const text: WireCodec<string> = {
  *read(from) {
    return decodeUtf8(yield* from.readBytes(true));
  },
  write: (to, value) => to.text(value),
};

/** A number that is always the same when it is written and that nobody looks at. */
export function ignoredNumber(value: number): WireCodec<undefined> {
  return {
    *read(from) {
      yield* from.readNumber(0xffff_ffff);
      return undefined;
    },
    write: (to) => to.number(value),
  };
}

/** Words for numbers: each value's number is its place in the list. */
export function oneOf<T extends string>(what: string, names: readonly T[]): WireCodec<T> {
  return {
    *read(from) {
      const number = yield* from.readNumber(Number.MAX_SAFE_INTEGER);
      const name = names[number];
      if (name === undefined) throw new NixCompatError('bad-message', `there is no ${what} ${number}`);
      return name;
    },
    write: (to, value) => to.number(names.indexOf(value)),
  };
}

/** Words for numbers with gaps; a number without a word is kept as it is. */
export function openNames<T extends string>(names: Readonly<Record<T, number>>): WireCodec<T | number> {
  const byNumber = new Map(Object.entries<number>(names).map(([name, number]) => [number, name as T]));
  return {
    *read(from) {
      const number = yield* from.readNumber(0xffff_ffff);
      return byNumber.get(number) ?? number;
    },
    write: (to, value) => to.number(typeof value === 'number' ? value : names[value]),
  };
}
