/** Tables whose head has empty cells: those are no headings, which a screen reader would announce. */
import type { MarkdownRenderer } from 'vitepress';

export function addDataCells(md: MarkdownRenderer): void {
  md.core.ruler.push('data-cells', ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      const close = tokens[index + 2];
      if (token.type !== 'th_open' || tokens[index + 1]?.content !== '' || close?.type !== 'th_close')
        continue;
      token.tag = 'td';
      close.tag = 'td';
    }
  });
}
