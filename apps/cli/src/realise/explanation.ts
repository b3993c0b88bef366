/** An explanation as a tree of lines, or as JSON. */
import type { StoreDirectory } from '@neve/nix-compat';
import type { Explanation } from '@neve/realise';

export function explanationText(explanation: Explanation, store: StoreDirectory): string {
  return lines(explanation, store, { first: '', others: '' }).join('');
}

type Indent = { readonly first: string; readonly others: string };

// oxlint-disable-next-line eslint/max-params -- a tree, its names and where it stands
function lines(explanation: Explanation, store: StoreDirectory, indent: Indent): readonly string[] {
  const { storePath, derivation, kind, reason, needs } = explanation;
  const subject = storePath ?? derivation;
  const how = kind === 'build' && derivation !== undefined ? `: built by ${store.print(derivation)}` : '';
  const own = `${indent.first}${subject === undefined ? 'it' : store.print(subject)} ${reason}${how}\n`;
  const below = needs.flatMap((need, index) => {
    const isLast = index === needs.length - 1;
    return lines(need, store, {
      first: `${indent.others}${isLast ? '└─ ' : '├─ '}`,
      others: `${indent.others}${isLast ? '   ' : '│  '}`,
    });
  });
  return [own, ...below];
}

export function explanationJson(explanation: Explanation, store: StoreDirectory): unknown {
  const { storePath, derivation, kind, reason, needs } = explanation;
  return {
    path: storePath === undefined ? null : store.print(storePath),
    kind,
    derivation: derivation === undefined ? null : store.print(derivation),
    reason,
    needs: needs.map((it) => explanationJson(it, store)),
  };
}
