/**
 * What every build service must do, for the tests of all of them: each case gets a service with its castore, and throws an
 * `Error` that says what is wrong. Where services may differ, `BuildTraits` says how this one does.
 *
 * The services have a static busybox as `/bin/sh`. What scripts expect of a sandbox is what Nix 2.34 gives its builds.
 */
import { commandCases } from './command-cases.ts';
import { hostileCases } from './hostile-cases.ts';
import { limitCases } from './limit-cases.ts';
import { outputCases } from './output-cases.ts';
import { sandboxCases } from './sandbox-cases.ts';
import { type BuildServiceUnderTest, Trial } from './trial.ts';

export type { BuildServiceUnderTest, BuildTraits } from './trial.ts';

export type BuildComplianceCase = {
  readonly name: string;
  run(service: BuildServiceUnderTest): Promise<void>;
};

const all: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  ...commandCases,
  ...sandboxCases,
  ...outputCases,
  ...limitCases,
  ...hostileCases,
};

export const buildServiceCases: readonly BuildComplianceCase[] = Object.entries(all).map(([name, check]) => ({
  name,
  run: (service) => check(new Trial(service)),
}));
