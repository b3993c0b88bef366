/** What a daemon does for its clients, beside the stores: commands of `neve`, run in one process. `daemon.proto` is the source. */

/** Commands by what their calls are named. */
export const commandCalls = {
  eval: 'Evaluate',
  build: 'Build',
  log: 'Log',
  explain: 'Explain',
  'why-depends': 'WhyDepends',
  instantiate: 'Instantiate',
} as const;

export type DaemonCommandName = keyof typeof commandCalls;

/** What a server and its clients must have in common. It changes when one could take the other's messages for something else. */
export const daemonProtocol = 1;

/** What a command has of whoever gives it. */
export type DaemonCommand = {
  readonly name: DaemonCommandName;
  readonly words: readonly string[];
  /** Absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly standardInput: Uint8Array | undefined;
  readonly colour: boolean;
  readonly wantsProgress: boolean;
  /** The client shows what progress says, so that messages leave it out. */
  readonly showsProgress: boolean;
};

export type DaemonEvent =
  | { readonly kind: 'output'; readonly file: 1 | 2; readonly bytes: Uint8Array }
  /** Whether a signal ends what is under way in good order. */
  | { readonly kind: 'interruptible'; readonly isInterruptible: boolean }
  | { readonly kind: 'progress'; readonly progress: DaemonProgress }
  /** A sign of life. */
  | { readonly kind: 'alive' }
  /** The last one. */
  | { readonly kind: 'exit'; readonly code: number };

/** In the order of their numbers, which begin at 1. */
export const progressKinds = [
  'evaluation-started',
  'evaluation-ended',
  'substitution-started',
  'substitution-ended',
  'substitution-failed',
  'cache-failed',
  'waiting-for-lock',
  'fetch-started',
  'fetch-ended',
  'build-started',
  'build-log',
  'build-succeeded',
  'build-failed',
  'substitution-planned',
  'substitution-not-needed',
  'substitution-progress',
  'fetch-failed',
  'download-started',
  'downloaded',
  'download-ended',
  'unpacking',
  'build-planned',
  'build-not-needed',
  'build-refused',
  'check-started',
  'warning',
  'failure',
  'work-started',
  'work-ended',
  'plan',
] as const;

/** Which fields a kind has is said in `daemon.proto`. */
export type DaemonProgress = {
  readonly kind: (typeof progressKinds)[number];
  readonly storePath?: string;
  readonly detail?: string;
  readonly log?: Uint8Array;
  readonly inputs?: readonly string[];
  readonly derivation?: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
  readonly narSize?: number;
  readonly expectedMs?: number;
};

export type DaemonQueue = { readonly running: number; readonly waiting: number; readonly limit: number };

export type DaemonStatus = {
  readonly version: string;
  readonly processId: number;
  readonly uptimeSeconds: number;
  readonly commands: readonly {
    readonly id: number;
    readonly name: string;
    readonly words: readonly string[];
    readonly directory: string;
    readonly seconds: number;
    readonly state: 'waiting' | 'evaluating' | 'realising';
  }[];
  readonly evaluations: DaemonQueue;
  readonly builds: DaemonQueue;
  readonly finishedCommands: number;
  readonly memoryBytes: number;
  readonly isEnding: boolean;
};

export interface DaemonService {
  /**
   * Throws `RpcError` for what is no command's failure (`unavailable`, `resource-exhausted`). `signals` are names of signals
   * that the client was sent. `signal` is aborted when the client has gone; the command has ended when the answers have.
   */
  run(
    command: DaemonCommand,
    signals: AsyncIterable<string>,
    signal: AbortSignal,
  ): AsyncIterable<DaemonEvent>;
  status(): DaemonStatus;
  shutdown(options: { readonly now: boolean }): void;
}
