// Links within the built site that lead nowhere: to a page or a file that is not there, or to an anchor that its page has
// not. VitePress looks at pages only.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * @param {string} site folder of the built site
 * @param {string} base where it lies on its server, as `/` or `/path/`
 * @returns {string[]} a sentence for each
 */
export function deadLinks(site, base) {
  const pages = readdirSync(site, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => relative(site, join(entry.parentPath, entry.name)));
  /** @type {Map<string, Set<string>>} */
  const anchors = new Map(pages.map((page) => [page, anchorsOf(readFileSync(join(site, page), 'utf8'))]));
  return pages.flatMap((page) => {
    const text = readFileSync(join(site, page), 'utf8');
    return [...text.matchAll(/<a\b[^>]*?\shref="([^"]+)"/g)].flatMap(([, href = '']) => {
      const problem = problemOf(unescapeHtml(href), page);
      return problem === undefined ? [] : [`${page}: ${href}: ${problem}`];
    });
  });

  /**
   * @param {string} href
   * @param {string} page
   */
  function problemOf(href, page) {
    const url = new URL(href, `http://site${base}${page}`);
    if (url.host !== 'site') return undefined;
    if (!url.pathname.startsWith(base)) return 'outside of the site';
    const path = decodeURIComponent(url.pathname.slice(base.length));
    const file = path === '' || path.endsWith('/') ? `${path}index.html` : path;
    const found = anchors.get(file);
    if (found === undefined) return existsSync(join(site, file)) ? undefined : 'there is no such page';
    const anchor = decodeURIComponent(url.hash.slice(1));
    return anchor === '' || found.has(anchor) ? undefined : 'the page has no such anchor';
  }
}

/** @param {string} html */
function anchorsOf(html) {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => unescapeHtml(id)));
}

/** @param {string} text */
function unescapeHtml(text) {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}
