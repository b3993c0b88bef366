/** Fetches with a span for each. */
import { redactUrl } from '@neve/diagnostics';
import { tracedService } from '@neve/telemetry';
import type { Fetch } from './fetch.ts';
import type { Fetcher } from './fetcher.ts';

/** Disposing of it disposes of `fetcher`. */
export function tracedFetcher(fetcher: Fetcher, instanceName: string): Fetcher {
  return tracedService(
    fetcher,
    {
      fetch: {
        attributes: (fetch: Fetch) => ({
          'fetch.kind': fetch.kind,
          'fetch.name': fetch.name,
          ...('urls' in fetch && { 'fetch.urls': fetch.urls.map(redactUrl) }),
          ...('url' in fetch && { 'fetch.urls': [redactUrl(fetch.url)] }),
        }),
      },
    },
    { service: 'Fetcher', instanceName },
  );
}
