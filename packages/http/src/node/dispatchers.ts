/**
 * Connections: one agent of undici for each way to a server, which is a proxy or none, with the client's certificate or
 * without. Each keeps a bounded number of connections to a host. undici is loaded when the first one is needed.
 */
import type { Dispatcher } from 'undici';
import { redactUrl } from '@neve/diagnostics';
import { HttpError } from '../http-error.ts';
import { type ProxySettings, chooseProxy } from '../proxy-choice.ts';

export type TlsSettings = {
  /** Certificates of authorities to trust instead of the usual ones, PEM. */
  readonly ca?: string | undefined;
  /** The client's certificate and its private key, PEM; shown only to the origin that a request is meant for. */
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
};

export type ConnectionSettings = {
  readonly connectTimeoutMs: number;
  readonly maxConnectionsPerHost: number;
  readonly proxies: ProxySettings;
  readonly tls: TlsSettings;
};

export class Dispatchers implements AsyncDisposable {
  readonly #settings: ConnectionSettings;
  readonly #agents = new Map<string, Promise<Dispatcher>>();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** Throws `HttpError` (`bad-setting`) for a proxy that cannot be used. */
  async for(url: URL, { isHome }: { readonly isHome: boolean }): Promise<Dispatcher> {
    const proxy = chooseProxy(url, this.#settings.proxies);
    const hasCertificate = isHome && this.#settings.tls.certificate !== undefined;
    const key = `${hasCertificate} ${proxy ?? ''}`;
    const agent = this.#agents.get(key) ?? this.#open(proxy, hasCertificate);
    this.#agents.set(key, agent);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = await Promise.allSettled(this.#agents.values());
    this.#agents.clear();
    const opened = agents.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    await Promise.all(opened.map((agent) => agent.destroy()));
  }

  async #open(proxy: string | undefined, hasCertificate: boolean): Promise<Dispatcher> {
    // By its default, since a bundler does not know the names that a CommonJS module exports.
    const {
      default: { Agent, ProxyAgent },
    } = await import('undici');
    const { connectTimeoutMs, maxConnectionsPerHost, tls } = this.#settings;
    const connect = {
      timeout: connectTimeoutMs,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(hasCertificate ? { cert: tls.certificate, key: tls.privateKey } : {}),
    };
    const limits = { connections: maxConnectionsPerHost };
    if (proxy === undefined) return new Agent({ ...limits, connect });
    try {
      // Only https goes through a tunnel: most proxies refuse one to other ports.
      return new ProxyAgent({
        ...limits,
        uri: proxy,
        requestTls: connect,
        proxyTls: connect,
        proxyTunnel: false,
      });
    } catch (cause) {
      throw new HttpError('bad-setting', `the proxy ${redactUrl(proxy)} cannot be used; check its URL`, {
        cause,
      });
    }
  }
}
