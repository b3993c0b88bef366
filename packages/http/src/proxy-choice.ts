/**
 * Which proxy a request goes through, as curl has it: the one for its scheme, else the one for all, unless `no` lists the
 * host. The settings are those of the variables `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, which an app
 * reads.
 *
 *     no = "*"                                       no proxy at all
 *     no = "localhost,.example.org,10.0.0.1:8080"    hosts, with all below them, maybe with a port
 */
export type ProxySettings = {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly all?: string | undefined;
  readonly no?: string | undefined;
};

/** The URL of the proxy, with a scheme. `undefined`: there is none. */
export function chooseProxy(url: URL, { http, https, all, no = '' }: ProxySettings): string | undefined {
  const proxy = (url.protocol === 'https:' ? https : http) || all;
  if (proxy === undefined || proxy === '' || isExempt(url, no)) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isExempt(url: URL, list: string): boolean {
  if (list.trim() === '*') return true;
  const host = withoutBrackets(url.hostname);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list.split(/[\s,]+/).some((item) => {
    const [, address, name = '', itemPort] = /^(?:\[(.*)\]|(.*?))(?::([0-9]+))?$/.exec(item) ?? [];
    // More than one colon and no brackets: an IPv6 address.
    const isAddress = address === undefined && item.split(':').length > 2;
    const wanted = isAddress ? item : (address ?? name);
    if (!isAddress && itemPort !== undefined && itemPort !== port) return false;
    return isBelow(host, wanted.toLowerCase().replace(/^\*?\./, ''));
  });
}

function isBelow(host: string, domain: string): boolean {
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
