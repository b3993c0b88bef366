/** Which paths are in an object of the store: those are what they are for ever. */

/** 32 characters of Nix's base32, a dash and a name. */
const objectName = /^[0-9a-df-np-sv-z]{32}-[^/]+/;

/** The object that a path is or is in; undefined when it is in none. */
export function storeObjectOf(path: string, storeDir: string): string | undefined {
  const { length } = storeDir;
  if (path.charCodeAt(length) !== slash || !path.startsWith(storeDir)) return undefined;
  const name = objectName.exec(path.slice(length + 1))?.[0];
  return name === undefined ? undefined : `${storeDir}/${name}`;
}

const slash = 0x2f;
