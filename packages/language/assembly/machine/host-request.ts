// What the machine asks of the host. There are no imported functions for it: the machine leaves `run` with a request,
// and goes on when the host has answered, at once or a week later (packages/eval/src/host-requests.ts); other fibers may
// run until then (fibers.ts).
//
// Arguments are values in memory, as the comment of each request says. The answer is a value, which the host makes
// through the exports in index.ts; "nothing" is NULL. The host can also answer with an error, which is raised where the
// request was made.

/** path → STRING: the contents of a file. Fails as the file system does. */
export const REQUEST_READ_FILE: u32 = 1;
/** path → STRING: "regular", "directory", "symlink", "unknown", or NULL when nothing is there. Does not follow a final link. */
export const REQUEST_FILE_TYPE: u32 = 2;
/** path → ATTRS: name → STRING type. */
export const REQUEST_READ_DIRECTORY: u32 = 3;
/** path → STRING: the target of a symbolic link. */
export const REQUEST_READ_LINK: u32 = 4;
/** path → PATH: the file that `import path` reads: links followed, `default.nix` of a directory. */
export const REQUEST_RESOLVE_IMPORT: u32 = 5;
/** STRING name → STRING, "" when unset. */
export const REQUEST_ENVIRONMENT: u32 = 6;
/**
 * Adds a path to the store. a: PATH; b: STRING name; c: LIST of accepted paths relative to a (STRING, parents first), or
 * NULL for all; d: ATTRS {method, algorithm, hash} or NULL for a NAR hashed with SHA-256 → STRING: the store path.
 */
export const REQUEST_ADD_PATH: u32 = 7;
/** a: STRING store path, b: STRING contents, c: LIST of references → NULL. Only in read-write mode. */
export const REQUEST_ADD_TEXT: u32 = 8;
/** a: STRING store path, b: STRING ATerm → NULL. Only in read-write mode. */
export const REQUEST_WRITE_DERIVATION: u32 = 9;
/**
 * a: small int level (0 trace, 1 warning of the program, MESSAGE_OF_NIX), b: STRING text, c: small int position that it
 * is about or none, d: STRING what was being done or none → NULL.
 */
export const REQUEST_MESSAGE: u32 = 10;
/** A level: a warning of the evaluator itself, shown after "warning: ". */
export const MESSAGE_OF_NIX: u32 = 2;
/** a: small int, a position → ATTRS {file, line, column}, or NULL when it has no file. */
export const REQUEST_POSITION: u32 = 11;
/** STRING store path → NULL when it is valid or has been made so, else an error. Only in read-write mode. */
export const REQUEST_ENSURE_PATH: u32 = 12;
/** PATH, STRING algorithm → STRING: base16 digest of the file's contents. */
export const REQUEST_HASH_FILE: u32 = 13;
/** STRING path inside of the store (links may lead there) → STRING: the path with links followed. */
export const REQUEST_RESOLVE_STORE_PATH: u32 = 14;
/** → INT: seconds since 1970. */
export const REQUEST_CURRENT_TIME: u32 = 15;
/** a: STRING entry of the search path (URL or path) → PATH where it is, or NULL when it is not there. */
export const REQUEST_SEARCH_PATH_ENTRY: u32 = 16;
/**
 * a: STRING "url", "tarball", "git", "mercurial" or "tree"; b: what to fetch, ATTRS of STRING, Boolean and INT, or a STRING
 * → ATTRS {outPath, …}: what a program gets to know of it.
 */
export const REQUEST_FETCH: u32 = 17;
/** STRING store path → LIST of STRING: what a valid path refers to; NULL when it is not valid. */
export const REQUEST_PATH_REFERENCES: u32 = 18;
/** PATH → PATH: with all links followed; NULL when nothing is there. */
export const REQUEST_RESOLVE_LINKS: u32 = 19;
/**
 * a: PATH, b: TRUE when REQUEST_FILE_EVALUATED may follow, else 0 → small int: the length of a source, whose bytes are the
 * input (memory/input.ts). Fails as READ_FILE does.
 */
export const REQUEST_READ_SOURCE: u32 = 20;
/** a: STRING bytes, b: STRING algorithm, not blake3 → STRING: base16 digest. Only of hosts that said that they can (`configureHashing`). */
export const REQUEST_HASH_BYTES: u32 = 21;
/**
 * STRING with a context → LIST of STRING: for each element of the context its store path, that of an output for an output,
 * all of which are there now. Asked where the contents of what a string refers to are wanted.
 */
export const REQUEST_REALISE: u32 = 22;
/** PATH → NULL: the file, whose source was read before, has been evaluated. Only of hosts that want to know (`configureFileReports`). */
export const REQUEST_FILE_EVALUATED: u32 = 23;
