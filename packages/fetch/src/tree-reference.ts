/**
 * A reference to a tree, as `fetchTree` takes it and lock files keep it: checked attributes, or the URL that stands for them.
 *
 *     { type = "git"; url = "https://host/x"; ref = "main"; }     git+https://host/x?ref=main
 *
 * Types: `path`, `git`, `tarball`, `file`, `github`, `gitlab`, `sourcehut`, `hg`, `indirect`. Rules and messages are those
 * of Nix 2.34. Functions throw `FetchError`: `invalid-fetch`, `unsupported`.
 */
import type { Fetch } from './fetch.ts';
import { fileScheme, tarballScheme } from './download-schemes.ts';
import { FetchError } from './fetch-error.ts';
import { forgeSchemes } from './forge-schemes.ts';
import { gitScheme } from './git-scheme.ts';
import { indirectScheme } from './indirect-scheme.ts';
import {
  type InputAttributes,
  narHashAttribute,
  numberAttribute,
  printAttributes,
  revisionAttribute,
  textAttribute,
} from './input-attributes.ts';
import {
  type ExperimentalFeature,
  type InputScheme,
  type LockSettings,
  invalidInput,
  requireFeature,
} from './input-scheme.ts';
import { mercurialScheme } from './mercurial-scheme.ts';
import { parseNixUrl, printNixUrl } from './nix-url.ts';
import { pathScheme } from './path-scheme.ts';

/** Only this file makes one, so that its attributes are what its scheme allows. */
export type TreeReference = {
  readonly type: string;
  /** `type` included. */
  readonly attributes: InputAttributes;
};

export type TreeReferenceOptions = {
  /** The experimental features that are enabled; none unless given. */
  readonly features?: ReadonlySet<ExperimentalFeature>;
};

/** In the order in which Nix asks them whether a URL is theirs. */
const schemes: readonly InputScheme[] = [
  fileScheme,
  gitScheme,
  ...forgeSchemes,
  mercurialScheme,
  indirectScheme,
  pathScheme,
  tarballScheme,
];

export function treeReferenceOfAttributes(
  attributes: InputAttributes,
  { features = new Set() }: TreeReferenceOptions = {},
): TreeReference {
  const type = textAttribute(attributes, 'type');
  if (type === undefined) {
    throw invalidInput("'type' attribute to specify input scheme is required but not provided");
  }
  const scheme = schemes.find(({ name }) => name === type);
  if (scheme === undefined)
    throw invalidInput(`cannot show unsupported input '${printAttributes(attributes)}'`);
  if (scheme.feature !== undefined) requireFeature(scheme.feature, features);
  for (const name of [...attributes.keys()].sort()) {
    if (name === 'type' || name === '__final' || scheme.attributes.has(name)) continue;
    throw invalidInput(`input attribute '${name}' not supported by scheme '${type}'`);
  }
  const checked = scheme.check(attributes, features);
  // What is common to all of them.
  textAttribute(checked, 'ref');
  revisionAttribute(checked);
  narHashAttribute(checked);
  numberAttribute(checked, 'revCount');
  numberAttribute(checked, 'lastModified');
  return { type, attributes: checked };
}

/** Reads the text form. */
export function parseTreeReference(text: string, options: TreeReferenceOptions = {}): TreeReference {
  const url = parseNixUrl(text);
  const shown = printNixUrl(url);
  for (const scheme of schemes) {
    const attributes = scheme.fromUrl(url, shown);
    if (attributes !== undefined) return treeReferenceOfAttributes(attributes, options);
  }
  const hint = url.scheme === 'file+git' ? "; did you mean 'git+file' instead of 'file+git'?" : '';
  throw invalidInput(`input '${shown}' is unsupported${hint}`);
}

/** The text form, which leaves out what only tells about the contents, such as `lastModified`. */
export function printTreeReference({ type, attributes }: TreeReference): string {
  return printNixUrl(schemeOf(type).toUrl(attributes));
}

/** Whether it always means the same contents. */
export function isLocked({ type, attributes }: TreeReference, settings: LockSettings = {}): boolean {
  return schemeOf(type).isLocked(attributes, settings);
}

/** What has to be fetched for it. */
export function fetchOfTreeReference({ type, attributes }: TreeReference): Fetch {
  return schemeOf(type).toFetch(attributes);
}

/**
 * The rule of pure evaluation: only what is locked is fetched. Gives a warning for what is not, but has a hash. Throws
 * `FetchError` (`invalid-fetch`) for everything else.
 */
export function checkPurity(
  reference: TreeReference,
  { builtin, ...settings }: LockSettings & { readonly builtin: 'fetchTree' | 'fetchGit' },
): string | undefined {
  if (isLocked(reference, settings)) return undefined;
  const shown = printTreeReference(reference);
  if (narHashAttribute(reference.attributes) !== undefined) {
    return `Input '${shown}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared.`;
  }
  throw new FetchError(
    'invalid-fetch',
    `in pure evaluation mode, '${builtin}' doesn't fetch unlocked input '${shown}'`,
  );
}

function schemeOf(type: string): InputScheme {
  const scheme = schemes.find(({ name }) => name === type);
  if (scheme === undefined) throw new Error(`the reference has the unknown type '${type}'`);
  return scheme;
}
