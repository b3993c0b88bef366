/** Builds with a span for each. */
import { tracedService } from '@neve/telemetry';
import type { BuildRequest } from './build-request.ts';
import type { BuildService } from './build-service.ts';

/** Disposing of it disposes of `builder`. */
export function tracedBuilder<B extends BuildService>(builder: B, instanceName: string): B {
  return tracedService<BuildService>(
    builder,
    {
      build: {
        attributes: ({ command: [program], outputs, inputs, constraints }: BuildRequest) => ({
          'build.program': program,
          'build.outputs': outputs,
          'build.inputs': inputs.size,
          'build.system': constraints.system,
        }),
      },
      systems: {},
      forgetInputs: {},
    },
    { service: 'BuildService', instanceName },
    // It is the same service, with everything that it has.
  ) as B;
}
