/**
 * Fenced blocks that mean more than their text. Their info strings, which a reader of the source sees as well:
 *
 *     nix eval [features=a,b]    an expression that can be run; followed by its value or error:
 *     nix value                  what `nix-instantiate --eval --strict` prints
 *     text error                 a part of the message
 *     nix file=NAME              a file for the expressions after it, up to the next heading
 *     sh run | sh skip=REASON    commands; followed by `text output`
 *
 * Here `nix eval` becomes a `<nix-example>`. The same blocks are run by `tests/docs`.
 */
import type { MarkdownRenderer } from 'vitepress';

type Token = { readonly type: string; readonly info: string; readonly content: string };

export function addExampleFences(md: MarkdownRenderer): void {
  const plain = md.renderer.rules.fence;
  if (plain === undefined) throw new Error('there is no renderer of fenced blocks to build upon');
  md.renderer.rules.fence = (...args) => {
    const [tokens, index] = args;
    const token = tokens[index];
    if (token === undefined) return '';
    const words = token.info.split(/\s+/);
    const file = words.find((word) => word.startsWith('file='));
    if (file !== undefined) {
      return `<p class="file-name"><code>${md.utils.escapeHtml(file.slice(5))}</code></p>${plain(...args)}`;
    }
    if (isResult(token)) {
      return isExpression(tokens[index - 1]) ? '' : plain(...args);
    }
    if (!isExpression(token)) return plain(...args);
    const next = tokens[index + 1];
    const features = words.find((word) => word.startsWith('features='))?.slice(9) ?? '';
    const attributes = [
      `data-files="${md.utils.escapeHtml(JSON.stringify(filesBefore(tokens, index)))}"`,
      `data-features="${md.utils.escapeHtml(features.replaceAll(',', ' '))}"`,
    ];
    const result = next !== undefined && isResult(next) ? resultBlock(md, next) : '';
    return `<nix-example v-pre ${attributes.join(' ')}>${plain(...args)}${result}</nix-example>\n`;
  };
}

function resultBlock(md: MarkdownRenderer, { info, content }: Token): string {
  const kind = info.startsWith('nix') ? 'value' : 'error';
  const text = md.utils.escapeHtml(content.trimEnd());
  return `<div class="nix-value is-${kind}"><pre tabindex="0">${text}</pre></div>`;
}

function isExpression(token: Token | undefined): boolean {
  return token?.type === 'fence' && /^nix eval\b/.test(token.info);
}

function isResult(token: Token): boolean {
  return token.type === 'fence' && /^(nix value|text error)\b/.test(token.info);
}

/** The files that were shown since the last heading. */
function filesBefore(tokens: readonly Token[], index: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let at = index - 1; at >= 0 && tokens[at]?.type !== 'heading_close'; at--) {
    const name = /\bfile=(\S+)/.exec(tokens[at]?.info ?? '')?.[1];
    if (name !== undefined) files[name] ??= tokens[at]?.content ?? '';
  }
  return files;
}
