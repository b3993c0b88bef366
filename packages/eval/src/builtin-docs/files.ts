/** Documentation of the builtins that read files and fetch them. */
import type { BuiltinDoc } from './builtin-doc.ts';

const greeting = { 'greeting.txt': 'Hello from a file\n' } as const;

export const fileDocs: readonly BuiltinDoc[] = [
  {
    name: 'import',
    subject: 'files',
    isGlobal: true,
    parameters: ['path'],
    summary: 'The value of the program in a file; of a directory, in its `default.nix`.',
    details:
      'A file is evaluated once, however often it is imported, and sees no names but the global ones. A path into the output ' +
      'of a derivation is built first (import from derivation).',
    examples: [
      { expression: 'import ./double.nix 21', value: '42', files: { 'double.nix': 'n: 2 * n\n' } },
      {
        expression: '(import ./package).name',
        value: '"snow"',
        files: { 'package/default.nix': '{ name = "snow"; }\n' },
      },
    ],
  },
  {
    name: 'scopedImport',
    subject: 'files',
    isGlobal: true,
    parameters: ['scope', 'path'],
    summary: 'As `import`, but the names in a set are global in the file.',
    details: 'The file is evaluated anew for every call.',
    examples: [
      {
        expression: 'builtins.scopedImport { x = 20; } ./sum.nix',
        value: '22',
        files: { 'sum.nix': 'x + 2\n' },
      },
    ],
  },
  {
    name: 'readFile',
    subject: 'files',
    isGlobal: false,
    parameters: ['path'],
    summary: 'The contents of a file as a string. A file with a zero byte is an error.',
    since: '0.11',
    examples: [
      {
        expression: 'builtins.readFile ./greeting.txt',
        value: String.raw`"Hello from a file\n"`,
        files: greeting,
      },
    ],
  },
  {
    name: 'readDir',
    subject: 'files',
    isGlobal: false,
    parameters: ['path'],
    summary:
      'What is in a directory: a set of names, each with `"regular"`, `"directory"`, `"symlink"` or `"unknown"`.',
    since: '1.8',
    examples: [
      {
        expression: 'builtins.readDir ./folder',
        value: '{ a = "regular"; b = "directory"; }',
        files: { 'folder/a': '', 'folder/b/c': '' },
      },
    ],
  },
  {
    name: 'readFileType',
    subject: 'files',
    isGlobal: false,
    parameters: ['path'],
    summary: 'What one path is, in the words of `readDir`; cheaper than reading its directory.',
    since: '2.14',
    examples: [
      {
        expression: 'map builtins.readFileType [ ./greeting.txt ./. ]',
        value: '[ "regular" "directory" ]',
        files: greeting,
      },
    ],
  },
  {
    name: 'pathExists',
    subject: 'files',
    isGlobal: false,
    parameters: ['path'],
    summary:
      'Whether there is something at a path. With a slash at the end of a string it has to be a directory.',
    examples: [
      {
        expression: 'map builtins.pathExists [ ./greeting.txt ./absent ]',
        value: '[ true false ]',
        files: greeting,
      },
    ],
  },
  {
    name: 'findFile',
    subject: 'files',
    isGlobal: false,
    parameters: ['searchPath', 'name'],
    summary: 'Looks a name up in a search path, as `<name>` does in `nixPath`.',
    examples: [
      {
        expression:
          'import (builtins.findFile [ { prefix = "lib"; path = toString ./.; } ] "lib/double.nix") 4',
        value: '8',
        files: { 'double.nix': 'n: 2 * n\n' },
      },
    ],
  },
  {
    name: 'toPath',
    subject: 'files',
    isGlobal: false,
    parameters: ['path'],
    summary:
      'An absolute path as a *string* without `.` and `..`. Out of use: write `/. + string` for a path.',
    examples: [
      { expression: 'builtins.toPath "/a/../b/./c"', value: '"/b/c"' },
      { expression: '/. + "a/b"', value: '/a/b' },
    ],
  },
  {
    name: 'toFile',
    subject: 'files',
    isGlobal: false,
    parameters: ['name', 'contents'],
    summary: 'A text as a file in the store; its store path, which follows from the name and the text.',
    details:
      'The text may mention store paths, but no outputs of derivations, which would have to be built for it.',
    examples: [
      {
        expression: 'builtins.toFile "greeting.txt" "Hello"',
        value: '"/nix/store/18i0nbxj5ymvf58rgd88awl2db5il4sl-greeting.txt"',
      },
    ],
  },
  {
    name: 'path',
    subject: 'files',
    isGlobal: false,
    parameters: ['arguments'],
    summary: 'Copies a file or a folder to the store, and is its store path.',
    details:
      '`path` is what is copied, `name` the name in the store, `filter` a function as of `filterSource`, `recursive = false` ' +
      'hashes a file by itself and not as a NAR, and `sha256` is the hash that must come out.',
    since: '2.0',
    examples: [
      {
        expression: 'builtins.path { path = ./greeting.txt; name = "hello.txt"; }',
        value: '"/nix/store/p03hbxz4qdrjmhpf25cd09l6rszs0haj-hello.txt"',
        files: greeting,
      },
    ],
  },
  {
    name: 'filterSource',
    subject: 'files',
    isGlobal: false,
    parameters: ['filter', 'path'],
    summary: 'Copies a folder to the store without the files for which a function is false.',
    details:
      'The function gets each path as a string, and its type in the words of `readDir`. Prefer `builtins.path`, which names the result.',
    since: '0.11',
    examples: [
      {
        expression:
          'builtins.attrNames (builtins.readDir (builtins.filterSource (path: type: baseNameOf path != "notes") ./folder))',
        value: '[ "kept" ]',
        files: { 'folder/kept': '', 'folder/notes': '' },
        needs: 'store',
      },
    ],
  },
];

export const fetcherDocs: readonly BuiltinDoc[] = [
  {
    name: 'fetchurl',
    subject: 'fetchers',
    isGlobal: false,
    parameters: ['arguments'],
    summary:
      'Downloads a file, and is its store path: `fetchurl "https://…"`, or a set of `url`, `sha256` and `name`.',
    details:
      'Downloads are kept for an hour (`tarball-ttl`); with `sha256` they need not be made at all if the file is in the store. ' +
      'Pure evaluation wants the hash.',
    examples: [
      {
        expression: 'builtins.readFile (builtins.fetchurl "file://${toString ./greeting.txt}")',
        value: String.raw`"Hello from a file\n"`,
        files: greeting,
        needs: 'machine',
      },
    ],
  },
  {
    name: 'fetchTarball',
    subject: 'fetchers',
    isGlobal: true,
    parameters: ['arguments'],
    summary: 'Downloads and unpacks an archive, and is the store path of the folder in it.',
    details:
      'The archive has one folder at its top, whose contents are what is wanted. Arguments are those of `fetchurl`; `sha256` is the hash of the unpacked folder.',
    since: '1.9',
    examples: [
      {
        expression: 'builtins.readFile (fetchTarball "file://${toString ./source.tar.gz}" + "/greeting.txt")',
        value: String.raw`"Hello from an archive\n"`,
        files: {
          'source.tar.gz': {
            base64:
              'H4sIAAAAAAACA+3RQQrCMBRF0YxdxV+BJqVJt+A2Qom1UBtIUnH5hjqy4LCCeM/kvfnNcUl9OKk96aqzdt1qu5tv6u8a7ZRY9QVLLj6JqD+VX/2HFEIZ5+FYHmWX/q5tP/dv3Ht/Y6w1SjT9d3cO0xTlkuJN/Cw+9dfxHg4KAAAAAAAAAAAAAAAAwA94Aj/A70UAKAAA',
          },
        },
        needs: 'machine',
      },
    ],
  },
  {
    name: 'fetchGit',
    subject: 'fetchers',
    isGlobal: true,
    parameters: ['arguments'],
    summary:
      'Fetches a commit of a Git repository: a set with `outPath`, `rev`, `shortRev`, `revCount`, `lastModified` and more.',
    details:
      'The argument is a URL or a set of `url`, `ref`, `rev`, `name`, `submodules`, `shallow`, `allRefs` and `lfs`. For a local ' +
      'folder without `ref` and `rev` it takes the files as they lie there, those that Git knows. Pure evaluation wants `rev`.',
    since: '2.0',
    examples: [
      {
        expression: 'builtins.readFile (builtins.fetchGit ./. + "/greeting.txt")',
        value: String.raw`"Hello from a file\n"`,
        files: greeting,
        isRepository: true,
        needs: 'machine',
      },
    ],
  },
  {
    name: 'fetchMercurial',
    subject: 'fetchers',
    isGlobal: true,
    parameters: ['arguments'],
    summary:
      'Fetches a changeset of a Mercurial repository; the argument is a URL or a set of `url`, `rev` and `name`.',
    since: '2.0',
    examples: [
      { expression: 'builtins.fetchMercurial { name = "source"; }', error: "'url' argument required" },
    ],
  },
  {
    name: 'fetchTree',
    subject: 'fetchers',
    isGlobal: true,
    parameters: ['arguments'],
    summary:
      'Fetches a tree of any kind that an input of a flake may have: `type` is `git`, `github`, `tarball`, `path` and so on.',
    since: '2.4',
    experimentalFeature: 'fetch-tree',
    examples: [
      {
        expression:
          'builtins.readFile (builtins.fetchTree { type = "git"; url = "file://${toString ./.}"; } + "/greeting.txt")',
        value: String.raw`"Hello from a file\n"`,
        files: greeting,
        isRepository: true,
        needs: 'machine',
      },
    ],
  },
  {
    name: 'fetchClosure',
    subject: 'fetchers',
    isGlobal: false,
    parameters: ['arguments'],
    summary: 'Takes a store path with its closure from a binary cache while evaluating.',
    since: '2.8',
    experimentalFeature: 'fetch-closure',
    unsupported: 'Neve refuses the call: its binary caches are substituters of builds.',
    examples: [
      {
        expression: 'builtins.fetchClosure { }',
        error: "attribute 'fromPath' is missing in call to 'fetchClosure'",
      },
    ],
  },
  {
    name: 'getFlake',
    subject: 'fetchers',
    isGlobal: false,
    parameters: ['reference'],
    summary: 'The outputs of a flake.',
    since: '2.4',
    experimentalFeature: 'flakes',
    unsupported: 'Flakes are not part of Neve yet.',
    examples: [
      {
        expression: '(builtins.getFlake "path:${toString ./.}").answer',
        value: '42',
        files: { 'flake.nix': '{ outputs = { self }: { answer = 42; }; }\n' },
        needs: 'machine',
      },
    ],
  },
  {
    name: 'parseFlakeRef',
    subject: 'fetchers',
    isGlobal: false,
    parameters: ['reference'],
    summary: 'The parts of a flake reference as a set.',
    since: '2.18',
    experimentalFeature: 'flakes',
    unsupported: 'Flakes are not part of Neve yet.',
    examples: [
      {
        expression: 'builtins.parseFlakeRef "github:NixOS/nixpkgs/23.05?dir=lib"',
        value: '{ dir = "lib"; owner = "NixOS"; ref = "23.05"; repo = "nixpkgs"; type = "github"; }',
      },
    ],
  },
  {
    name: 'flakeRefToString',
    subject: 'fetchers',
    isGlobal: false,
    parameters: ['parts'],
    summary: 'A flake reference from its parts; the reverse of `parseFlakeRef`.',
    since: '2.18',
    experimentalFeature: 'flakes',
    unsupported: 'Flakes are not part of Neve yet.',
    examples: [
      {
        expression:
          'builtins.flakeRefToString { type = "github"; owner = "NixOS"; repo = "nixpkgs"; ref = "23.05"; }',
        value: '"github:NixOS/nixpkgs/23.05"',
      },
    ],
  },
];
