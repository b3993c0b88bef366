/** Every type of service that a composition of the command may name. */
import { registerCastoreServices } from '@neve/castore/node';
import { Registry } from '@neve/compose';
import { registerRpcServices } from '@neve/rpc/node';
import { registerStoreServices } from '@neve/store/node';
import { httpCacheSettings, httpSettings } from './http-settings.ts';
import { registerNixStores } from './register-nix-stores.ts';

export function storeRegistry(): Registry {
  const registry = new Registry();
  registerCastoreServices(registry, { variables: process.env, http: httpSettings() });
  registerStoreServices(registry, httpCacheSettings());
  registerRpcServices(registry);
  registerNixStores(registry);
  return registry;
}
