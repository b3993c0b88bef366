/** The page that shows a directory. Names come from whoever made the store path; nothing of them is markup. */
import type { Directory, DirectoryEntry } from '@neve/castore';
import { encodeSegment } from './request-path.ts';

export function directoryPage(
  directory: Directory,
  { title, isRoot }: { readonly title: string; readonly isRoot: boolean },
): string {
  const rows = directory.entries.map(entryRow).join('\n');
  const parent = isRoot ? '' : '<tr><td><a href="../">..</a></td><td></td><td></td></tr>\n';
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; color-scheme: light dark; }
h1 { font-size: 1.1em; overflow-wrap: anywhere; }
td { padding: 0 2em 0 0; } td.size { text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<table>
${parent}${rows}
</table>
</body>
</html>
`;
}

/** `text` as text or as the value of an attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function entryRow({ name, node }: DirectoryEntry): string {
  const slash = node.kind === 'directory' ? '/' : '';
  // Without './', a name with a colon would be a URL of its own.
  const href = `./${encodeSegment(name.bytes)}${slash}`;
  const kind =
    node.kind === 'symlink'
      ? `→ ${escapeHtml(node.target.toString())}`
      : node.kind === 'file' && node.executable
        ? 'executable'
        : '';
  const size = node.kind === 'file' ? String(node.size) : '';
  const shown = escapeHtml(`${name.toString()}${slash}`);
  return `<tr><td><a href="${href}">${shown}</a></td><td class="size">${size}</td><td>${kind}</td></tr>`;
}
