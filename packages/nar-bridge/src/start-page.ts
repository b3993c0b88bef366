/** The page of a server that says what it is and how Nix is told of it. */
import { escapeHtml } from './directory-page.ts';

export type StartPageOptions = {
  /** As the client called it. */
  readonly host: string;
  readonly version: string;
  readonly publicKeys: readonly string[];
  readonly acceptsUploads: boolean;
  readonly isSecure?: boolean;
};

export function startPage(options: StartPageOptions): string {
  const { host, version, publicKeys, acceptsUploads, isSecure = false } = options;
  const url = `${isSecure ? 'https' : 'http'}://${escapeHtml(host)}`;
  const keys = publicKeys.map(escapeHtml).join(' ');
  const upload = acceptsUploads
    ? `\n<p>Paths are put here with</p>\n<pre>nix copy --to ${url} PATH</pre>`
    : '';
  const keyLine = keys === '' ? '' : `\nextra-trusted-public-keys = ${keys}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A binary cache for Nix</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 3em auto; max-width: 50em; padding: 0 1em; color-scheme: light dark; }
pre { overflow-x: auto; padding: 1em; border: 1px solid; }
</style>
</head>
<body>
<h1>A binary cache for Nix</h1>
<p>To take paths from here, write into <code>nix.conf</code>:</p>
<pre>extra-substituters = ${url}${keyLine}</pre>${upload}
<p>Neve ${escapeHtml(version)} · <a href="openapi.json">what can be asked for</a></p>
</body>
</html>
`;
}
