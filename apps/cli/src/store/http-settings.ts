/** What the environment says about web servers and binary caches. */
import { join } from 'node:path';
import type { HttpSettings } from '@neve/http/node';
import type { HttpCacheDefaults } from '@neve/store/node';
import { cacheFolder } from '../cache-folder.ts';

export function httpCacheSettings(): HttpCacheDefaults {
  return { ...httpSettings(), narInfoFolder: join(cacheFolder(), 'narinfo') };
}

export function httpSettings(): HttpSettings {
  const { env } = process;
  return {
    proxies: {
      // Upper case would let a web server's client set it (httpoxy).
      http: env['http_proxy'],
      https: env['https_proxy'] ?? env['HTTPS_PROXY'],
      all: env['all_proxy'] ?? env['ALL_PROXY'],
      no: env['no_proxy'] ?? env['NO_PROXY'],
    },
  };
}
