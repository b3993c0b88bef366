/**
 * What garbage collection keeps: store paths, with all that they refer to, and nodes without a path. Pins are roots that
 * have a name; links in a folder are another kind (`gc-root-links.ts`).
 */
import type { Node } from '@neve/castore';
import type { StorePath } from '@neve/nix-compat';

export type Root =
  | { readonly kind: 'path'; readonly storePath: StorePath }
  | { readonly kind: 'node'; readonly node: Node };

export type Pin = {
  /** 1 to 500 bytes of UTF-8. */
  readonly name: string;
  readonly root: Root;
};

/** Roots by name. Methods throw `StoreError`. */
export interface Pins {
  /** Makes the pin, or lets it lead elsewhere. */
  set(pin: Pin): Promise<void>;
  get(name: string): Promise<Root | undefined>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
  /** In the order of their names. */
  list(): Promise<readonly Pin[]>;
}

export function memoryPins(): Pins {
  const pins = new Map<string, Root>();
  return {
    set: async ({ name, root }) => void pins.set(name, root),
    get: async (name) => pins.get(name),
    remove: async (name) => pins.delete(name),
    list: async () =>
      [...pins].map(([name, root]) => ({ name, root })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
