/** What the environment says about web servers and binary caches. */
import { join } from 'node:path';
import type { HttpSettings } from '@neve/http/node';
import type { HttpCacheDefaults } from '@neve/store/node';
import { cacheFolder } from '../cache-folder.ts';
import type { Environment } from '../caller.ts';

export function httpCacheSettings(environment: Environment = process.env): HttpCacheDefaults {
  return { ...httpSettings(environment), narInfoFolder: join(cacheFolder(environment), 'narinfo') };
}

export function httpSettings(env: Environment = process.env): HttpSettings {
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
