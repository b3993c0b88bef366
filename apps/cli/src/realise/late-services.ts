/**
 * Services that most commands need nothing of, since what they are for is there already: they are opened when they are first
 * asked for something, and closed only if they were.
 */
import type { BuildService } from '@neve/build';
import type { Fetcher } from '@neve/fetch';

/** What fails to open fails again for everybody who asks. */
export function lateBuildService(open: () => Promise<BuildService>): BuildService {
  const { get, dispose } = late(open);
  return {
    build: async (request, options) => (await get()).build(request, options),
    systems: async (signal) => (await get()).systems(signal),
    forgetInputs: async () => await (await get()).forgetInputs?.(),
    [Symbol.asyncDispose]: dispose,
  };
}

export function lateFetcher(open: () => Promise<Fetcher>): Fetcher {
  const { get, dispose } = late(open);
  return {
    fetch: async (fetch, options) => (await get()).fetch(fetch, options),
    [Symbol.asyncDispose]: dispose,
  };
}

type Late<T> = { readonly get: () => Promise<T>; readonly dispose: () => Promise<void> };

function late<T extends AsyncDisposable>(open: () => Promise<T>): Late<T> {
  let opened: Promise<T> | undefined;
  return {
    get: () => (opened ??= open()),
    dispose: async () => (await opened?.catch(() => undefined))?.[Symbol.asyncDispose](),
  };
}
