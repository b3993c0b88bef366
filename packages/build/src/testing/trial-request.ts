/** Requests for tests: a script for `/bin/sh`, which is a static busybox, with everything else as usual builds have it. */
import { encodeUtf8 } from '@neve/bytes';
import type { BuildConstraints, BuildRequest } from '../build-request.ts';

export type TrialOptions = Partial<Omit<BuildRequest, 'constraints'>> & {
  readonly constraints?: Partial<BuildConstraints>;
};

/** Where `trialRequest` wants its one output, and where inputs are. */
export const trialOutput = 'nix/store/output';
export const trialInputs = 'nix/store';

export function trialRequest(
  script: string,
  { constraints = {}, ...others }: TrialOptions = {},
): BuildRequest {
  return {
    inputs: new Map(),
    inputsDirectory: trialInputs,
    command: ['/bin/sh', '-c', script],
    workingDirectory: 'build',
    scratchPaths: ['build', 'nix/store'],
    outputs: [trialOutput],
    environment: new Map([['out', encodeUtf8(`/${trialOutput}`)]]),
    files: new Map(),
    needles: [],
    limits: {},
    ...others,
    constraints: {
      system: 'x86_64-linux',
      minMemoryBytes: 0,
      readOnlyPaths: [],
      hostPaths: [],
      network: false,
      binSh: true,
      userRange: false,
      isolation: 'full',
      ...constraints,
    },
  };
}
