/** A builder for many, which runs so many builds at the same time. */
import type { BuildService } from '@neve/build';
import type { Permits } from './permits.ts';

/** The caller keeps the builder. */
export function limitedBuilder(service: BuildService, permits: Permits): BuildService {
  return {
    async build(request, options) {
      const release = await permits.acquire(options?.signal);
      try {
        return await service.build(request, options);
      } finally {
        release();
      }
    },
    systems: (signal) => service.systems(signal),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
