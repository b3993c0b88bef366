/** Codecs made of others: lists, sets, maps, records, and what only some versions have. */
import { NixCompatError } from '../nix-compat-error.ts';
import { ignoredNumber, text } from './primitive-codecs.ts';
import { type WireCodec, reading } from './wire-codec.ts';

/** A count, and that many items. */
export function listOf<T>(item: WireCodec<T>): WireCodec<readonly T[]> {
  return {
    *read(from, context) {
      const count = yield* from.readCount();
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(yield* reading(`item ${i}`, item.read(from, context)));
      return items;
    },
    write(to, items, context) {
      to.number(items.length);
      for (const it of items) item.write(to, it, context);
    },
  };
}

/** A list whose items are texts. A set is one, too, as Nix sends it: in order, none twice. What comes is not checked. */
export const texts: WireCodec<readonly string[]> = listOf(text);

/** A count, and that many pairs. Of pairs with the same key the last counts. */
export function mapOf<K, V>(key: WireCodec<K>, value: WireCodec<V>): WireCodec<ReadonlyMap<K, V>> {
  return {
    *read(from, context) {
      const count = yield* from.readCount();
      const map = new Map<K, V>();
      for (let i = 0; i < count; i++) {
        const itsKey = yield* reading(`key ${i}`, key.read(from, context));
        map.set(itsKey, yield* reading(`value ${i}`, value.read(from, context)));
      }
      return map;
    },
    write(to, map, context) {
      to.number(map.size);
      for (const [itsKey, itsValue] of map) {
        key.write(to, itsKey, context);
        value.write(to, itsValue, context);
      }
    },
  };
}

type Fields<T> = { readonly [K in keyof T]-?: WireCodec<T[K]> };

/** The fields in the order in which they are given. */
export function record<T extends object>(fields: Fields<T>): WireCodec<T> {
  const keys = Object.keys(fields) as (keyof T & string)[];
  return {
    *read(from, context) {
      const value: Partial<T> = {};
      for (const key of keys) value[key] = yield* reading(key, fields[key].read(from, context));
      return value as T;
    },
    write(to, value, context) {
      for (const key of keys) fields[key].write(to, value[key], context);
    },
  };
}

/** The same value in another form. */
export function mapped<T, U>(
  codec: WireCodec<T>,
  { read, write }: { readonly read: (value: T) => U; readonly write: (value: U) => T },
): WireCodec<U> {
  return {
    *read(from, context) {
      return read(yield* codec.read(from, context));
    },
    write: (to, value, context) => codec.write(to, write(value), context),
  };
}

/** What is there from a version on; older ones have `absent`, whatever is written. */
export function since<T>(minor: number, codec: WireCodec<T>, absent: T): WireCodec<T> {
  return {
    *read(from, context) {
      return context.minor >= minor ? yield* codec.read(from, context) : absent;
    },
    write(to, value, context) {
      if (context.minor >= minor) codec.write(to, value, context);
    },
  };
}

/** Nothing on the wire, in no version. */
export const silence: WireCodec<undefined> = since(Infinity, ignoredNumber(0), undefined);

/** A codec up to a version, another one from then on. */
export function changedIn<T>(minor: number, before: WireCodec<T>, after: WireCodec<T>): WireCodec<T> {
  return {
    read: (from, context) => (context.minor >= minor ? after : before).read(from, context),
    write: (to, value, context) => (context.minor >= minor ? after : before).write(to, value, context),
  };
}

/** 0, or 1 and the value. */
export function optional<T>(codec: WireCodec<T>): WireCodec<T | undefined> {
  return {
    *read(from, context) {
      const tag = yield* from.readNumber(Number.MAX_SAFE_INTEGER);
      if (tag > 1) throw new NixCompatError('bad-message', `${tag} does not tell whether there is a value`);
      return tag === 0 ? undefined : yield* codec.read(from, context);
    },
    write(to, value, context) {
      to.bool(value !== undefined);
      if (value !== undefined) codec.write(to, value, context);
    },
  };
}
