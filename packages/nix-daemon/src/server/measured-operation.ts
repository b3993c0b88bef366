/** Operations of clients as spans, each a trace of its own, since Nix's protocol has no place for one; and how long they took. */
import { histogram, inSpan } from '@neve/telemetry';

const duration = histogram('neve.nix_daemon.operation.duration', {
  unit: 's',
  description: 'Operations of the worker protocol, by operation and outcome',
});

export async function measuredOperation<T>(operation: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const record = (outcome: string): void =>
    duration.record((performance.now() - startMs) / 1000, { operation, outcome });
  const options = { kind: 'server', parent: undefined, attributes: { operation } } as const;
  try {
    const result = await inSpan(`nix-daemon ${operation}`, options, work);
    record('success');
    return result;
  } catch (error) {
    record('failure');
    throw error;
  }
}
