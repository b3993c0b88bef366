/** A builder whose builds, those of all clients together, keep to one limit. Each realiser has one of its own besides. */
import type { WeightedSemaphore } from '@neve/castore';
import type { BuildJob, DerivationBuilder } from '@neve/realise';

export function limitedBuilder(inner: DerivationBuilder, slots: WeightedSemaphore): DerivationBuilder {
  return {
    allowsSubstitutes: (derivation) => inner.allowsSubstitutes(derivation),
    fetchOf: (drvPath, derivation) => inner.fetchOf(drvPath, derivation),
    prepare: async (ready, signal) => limitedJob(await inner.prepare(ready, signal), slots),
  };
}

function limitedJob(job: BuildJob, slots: WeightedSemaphore): BuildJob {
  return {
    lockedPaths: job.lockedPaths,
    present: (signal) => job.present(signal),
    async build(options) {
      const release = await slots.acquire();
      try {
        options.signal?.throwIfAborted();
        return await job.build(options);
      } finally {
        release();
      }
    },
  };
}
