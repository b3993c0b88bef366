import { write } from './output.ts';

declare const NEVE_VERSION: string;

export function showVersion(): void {
  write(1, `neve (Nix) ${NEVE_VERSION}\n`);
}
