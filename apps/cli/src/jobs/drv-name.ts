/** The name of a derivation in two: `apache-httpd-2.0.48` is version 2.0.48 of apache-httpd. */
export type DrvName = {
  readonly fullName: string;
  readonly name: string;
  /** Empty without one. */
  readonly version: string;
};

/** A version begins behind the first dash that no letter follows. */
export function parseDrvName(fullName: string): DrvName {
  const dash = /-(?=[^a-zA-Z])/u.exec(fullName)?.index;
  return dash === undefined
    ? { fullName, name: fullName, version: '' }
    : { fullName, name: fullName.slice(0, dash), version: fullName.slice(dash + 1) };
}
