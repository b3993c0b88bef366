/**
 * What only manuals say of a command: examples, environment variables, files, exit codes. By the words after `neve`; what is
 * said of all commands has none.
 */
export type CommandNotes = {
  readonly examples?: readonly Example[];
  readonly environment?: readonly Note[];
  readonly files?: readonly Note[];
  readonly exitCodes?: readonly Note[];
};

export type Example = { readonly text: string; readonly command: string };

export type Note = { readonly name: string; readonly text: string };

const usualExitCodes: readonly Note[] = [
  { name: '0', text: 'Everything was done.' },
  { name: '1', text: 'Something went wrong, or the command line was; standard error says what.' },
  { name: '129, 130, 143', text: 'It was interrupted by SIGHUP, SIGINT or SIGTERM.' },
];

const buildExitCodes: readonly Note[] = [
  { name: '100', text: 'A build failed.' },
  { name: '101', text: 'A build took longer, or was silent for longer, than it may.' },
  { name: '102', text: 'What was made does not have the hash that was promised.' },
  { name: '104', text: 'What was built again with --check is different.' },
];

const settingFiles: readonly Note[] = [
  {
    name: '/etc/nix/nix.conf',
    text: 'Settings of the machine, one NAME = VALUE a line. NIX_CONF_DIR names another folder.',
  },
  { name: '~/.config/nix/nix.conf', text: 'Settings of the user.' },
];

const evaluationEnvironment: readonly Note[] = [
  { name: 'NIX_PATH', text: 'Where <NAME> is looked up, entries with colons between them.' },
  { name: 'NIX_CONFIG', text: 'Settings, as lines of nix.conf.' },
  { name: 'NIX_STORE_DIR', text: 'The store directory, instead of /nix/store.' },
  {
    name: 'NEVE_IMAGE',
    text: '0: results of evaluations are neither kept nor used; always: those that take no time are kept too.',
  },
  {
    name: 'NEVE_DAEMON',
    text: 'The daemon that runs the command: 1 for the one of the user, or an address.',
  },
];

/** Of a command that evaluates. */
const evaluating = (notes: CommandNotes): CommandNotes => ({
  environment: evaluationEnvironment,
  files: settingFiles,
  ...notes,
});

export const generalNotes: CommandNotes = {
  environment: [
    { name: 'NO_COLOR', text: 'Messages have no colours, whatever its value is.' },
    {
      name: 'CLICOLOR_FORCE, FORCE_COLOR',
      text: 'Messages have colours, though they go to no terminal; 0 is as if unset.',
    },
    { name: 'FORCE_HYPERLINK', text: '1: places in sources are links at every terminal; 0: at none.' },
    {
      name: 'XDG_CACHE_HOME, XDG_DATA_HOME, XDG_CONFIG_HOME',
      text: 'Where caches, stores and what is remembered are, each in a folder neve.',
    },
  ],
  exitCodes: usualExitCodes,
};

export const notesOfCommands: Readonly<Record<string, CommandNotes>> = {
  eval: evaluating({
    examples: [
      { text: 'A value', command: "neve eval --expr '1 + 1'" },
      { text: 'A part of a file, as JSON', command: 'neve eval --file ./config.nix --json services.web' },
      {
        text: 'With arguments for a function',
        command: 'neve eval --expr \'{ name }: "hello ${name}"\' --argstr name world',
      },
    ],
  }),
  instantiate: evaluating({
    examples: [
      { text: 'The derivation of an attribute', command: 'neve instantiate ./default.nix -A hello' },
    ],
  }),
  'eval-jobs': evaluating({
    examples: [
      {
        text: 'All packages of a file, without writing anything',
        command: 'neve eval-jobs --no-instantiate release.nix',
      },
      {
        text: 'What a CI system wants to know',
        command: 'neve eval-jobs --gc-roots-dir roots --meta --check-cache-status --workers 4 ./ci.nix',
      },
      {
        text: 'Some jobs of all',
        command: "neve eval-jobs ./ci.nix --select 'jobs: { inherit (jobs) tests; }'",
      },
    ],
    exitCodes: [
      { name: '0', text: 'All attributes were looked at; those that failed have errors in their lines.' },
      ...usualExitCodes.slice(1),
    ],
  }),
  search: evaluating({
    examples: [
      { text: 'By name or description', command: "neve search --file '<nixpkgs>' '' 'text editor'" },
      {
        text: 'Both words, without a third',
        command: "neve search '' python json --exclude haskell",
      },
    ],
  }),
  env: evaluating({
    examples: [
      { text: 'Attributes and names', command: "neve env -qaP --file '<nixpkgs>'" },
      { text: 'Every Firefox there is', command: "neve env -qaP --description 'firefox.*'" },
    ],
  }),
  build: evaluating({
    examples: [
      { text: 'What ./default.nix describes', command: 'neve build -A hello' },
      { text: 'What would be done for it', command: 'neve build --dry-run -A hello' },
      {
        text: 'Several, four at a time, without a link',
        command: 'neve build -j 4 --no-link -f ./packages.nix a b c',
      },
    ],
    files: [
      ...settingFiles,
      { name: './result', text: 'The link to the result; result-2, … to more of them.' },
    ],
    exitCodes: [...usualExitCodes, ...buildExitCodes],
  }),
  shell: evaluating({
    examples: [
      { text: 'A shell with two packages', command: "neve shell --file '<nixpkgs>' hello jq" },
      { text: 'One program', command: "neve shell --file '<nixpkgs>' hello --command hello --greeting Ciao" },
      {
        text: 'With nothing else',
        command: "neve shell -i --file '<nixpkgs>' bash coreutils --command bash",
      },
    ],
    exitCodes: [
      {
        name: 'any',
        text: 'That of the shell or the program, if it was run; 128 and the number of a signal that has ended it.',
      },
      ...usualExitCodes.slice(1),
      ...buildExitCodes,
    ],
  }),
  explain: evaluating({
    examples: [{ text: 'Why something would be built', command: 'neve explain -A hello' }],
  }),
  log: evaluating({
    examples: [{ text: 'The log of what an attribute built', command: 'neve log -f ./default.nix hello' }],
  }),
  'why-depends': evaluating({
    examples: [{ text: 'By attributes', command: 'neve why-depends -f ./default.nix hello glibc' }],
  }),
  repl: {
    examples: [
      { text: 'With the attributes of a file as variables', command: 'neve repl --file ./default.nix' },
      {
        text: 'With packages, as far as they are needed',
        command: "neve repl --expr 'import <nixpkgs> { }'",
      },
    ],
    environment: [
      ...evaluationEnvironment.filter(({ name }) => name !== 'NEVE_DAEMON'),
      { name: 'EDITOR', text: 'What :edit starts; the file is printed without it.' },
      { name: 'NIX_PAGER, PAGER', text: 'What shows logs that are longer than the terminal is high.' },
    ],
    files: [
      ...settingFiles,
      {
        name: '~/.local/state/neve/repl-history',
        text: 'What was entered. XDG_STATE_HOME names another folder.',
      },
    ],
    exitCodes: usualExitCodes,
  },
  'store import': {
    examples: [
      { text: 'A folder', command: 'neve store import ./src' },
      { text: 'A revision of a repository', command: 'neve store import --git ./repository --rev v1.0' },
    ],
  },
  'store copy': {
    examples: [
      {
        text: 'From the cache of NixOS',
        command:
          'neve store copy --from https://cache.nixos.org --trusted-public-key cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY= PATH',
      },
      {
        text: 'To a store that another process serves',
        command: 'neve store copy --to grpc+unix:/run/neve.sock PATH',
      },
    ],
  },
  'store gc': {
    examples: [
      {
        text: 'Until 20 GB are left, what was not used this month',
        command: 'neve store gc --older-than 30d --max-size 20G',
      },
    ],
  },
  'store diff': {
    exitCodes: [
      { name: '0', text: 'There is no difference.' },
      { name: '1', text: 'There is one, or something went wrong.' },
    ],
  },
  'nar-bridge': {
    examples: [
      {
        text: 'A cache at port 9000 that Nix can use',
        command: 'neve nar-bridge --listen 127.0.0.1:9000 --signing-key ./key',
      },
    ],
  },
  'nix-daemon': {
    examples: [
      { text: 'At a socket of its own', command: 'neve nix-daemon --listen /run/user/1000/nix.socket' },
    ],
  },
  'cache push': { examples: [{ text: 'The result of a build', command: 'neve cache push team ./result' }] },
  'cache login': {
    examples: [
      {
        text: 'With a token from a file',
        command: 'neve cache login --token-file ./token team https://cache.example.org/team',
      },
    ],
  },
  daemon: {
    examples: [
      {
        text: 'Start it, use it, end it',
        command: 'neve daemon & neve build --daemon -A hello; neve daemon stop',
      },
    ],
    environment: [{ name: 'XDG_RUNTIME_DIR', text: 'Its socket is neve/daemon.socket in this folder.' }],
  },
  completion: {
    examples: [
      { text: 'bash, for this shell', command: 'source <(neve completion bash)' },
      { text: 'zsh, for every shell', command: 'neve completion zsh > "${fpath[1]}/_neve"' },
      {
        text: 'fish, for every shell',
        command: 'neve completion fish > ~/.config/fish/completions/neve.fish',
      },
    ],
  },
  help: {
    examples: [
      { text: 'The options of a command', command: 'neve help store copy' },
      { text: 'Its manual page', command: 'neve help --man store copy | man -l -' },
    ],
  },
};
