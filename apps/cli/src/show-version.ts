import type { Caller } from './caller.ts';

declare const NEVE_VERSION: string;

export function showVersion(caller: Pick<Caller, 'write'>): void {
  caller.write(1, `neve (Nix) ${NEVE_VERSION}\n`);
}
