/**
 * What is written about one builtin. The texts are data, so that the site, completion in an editor and `:doc` of a REPL
 * show the same.
 *
 * `builtin-docs.test.ts` checks that the table names exactly what the evaluator has, with as many parameters, and that
 * every example gives what it says; the documentation's harness runs the same examples with a Nix.
 */

/** The chapters of the reference, in reading order. */
export const builtinSubjects = {
  values: 'Values and their types',
  numbers: 'Numbers',
  strings: 'Strings',
  regexes: 'Regular expressions and versions',
  lists: 'Lists',
  sets: 'Attribute sets',
  control: 'Order of evaluation, errors and messages',
  formats: 'JSON, TOML, XML and hashes',
  files: 'Files and imports',
  fetchers: 'Fetching',
  derivations: 'Derivations, the store and string contexts',
  evaluation: 'The evaluation itself',
} as const;

export type BuiltinSubject = keyof typeof builtinSubjects;

export type BuiltinDoc = {
  /** As in `builtins`, without a leading `__`. */
  readonly name: string;
  readonly subject: BuiltinSubject;
  /** The name without `builtins.` that means the same, when there is one: `map`, but not `filter`. */
  readonly isGlobal: boolean;
  /** Names for the arguments; none for a constant. */
  readonly parameters: readonly string[];
  /** One sentence of Markdown. */
  readonly summary: string;
  /** Further paragraphs of Markdown. */
  readonly details?: string;
  /** The release of Nix whose release notes announce it; absent where none does. */
  readonly since?: string;
  /** What has to be enabled for it to be there. */
  readonly experimentalFeature?: string;
  /** Neve knows the name but refuses the call; a sentence that says so. Examples then hold for Nix alone. */
  readonly unsupported?: string;
  readonly examples: readonly [BuiltinExample, ...BuiltinExample[]];
};

/** An expression with its value as `nix-instantiate --eval --strict` prints it, or with a part of its error's message. */
export type BuiltinExample = (
  | { readonly expression: string; readonly value: string; readonly error?: never }
  | { readonly expression: string; readonly error: string; readonly value?: never }
) & {
  /** Files in the folder of the expression: their text, or bytes in Base64. */
  readonly files?: Readonly<Record<string, string | { readonly base64: string }>>;
  /** The folder is a Git repository in which the files are committed. */
  readonly isRepository?: boolean;
  /** Reads what it puts into the store; or fetches, which takes a machine. */
  readonly needs?: 'store' | 'machine';
};
