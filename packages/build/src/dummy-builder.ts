/** A builder that builds nothing: for who only evaluates and substitutes. */
import { BuildError } from './build-error.ts';
import type { BuildService } from './build-service.ts';

export function dummyBuilder(): BuildService {
  return {
    build: async () => {
      const problem = 'nothing can be built here: this builder is for no system';
      throw new BuildError('unsupported', `${problem}; name another one to build with`);
    },
    systems: async () => [],
    [Symbol.asyncDispose]: async () => {},
  };
}
