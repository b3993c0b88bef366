/** What would be built and fetched, in the words of `nix-build --dry-run`, or as JSON. */
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import type { RealisationPlan } from '@neve/realise';
import { formatBytes } from '../quantities.ts';

export function planText(
  { builds, substitutions, fetches, unknown }: RealisationPlan,
  store: StoreDirectory,
): string {
  const print = (path: StorePath): string => `  ${store.print(path)}\n`;
  const lines: string[] = [];
  if (builds.length > 0) {
    const what = builds.length === 1 ? 'this derivation' : `these ${builds.length} derivations`;
    lines.push(`${what} will be built:\n`, ...builds.map((it) => print(it.derivation)));
  }
  if (substitutions.length + fetches.length > 0) {
    const count = substitutions.length + fetches.length;
    const download = formatBytes(sum(substitutions.map((it) => it.downloadSize ?? 0)));
    const unpacked = formatBytes(sum(substitutions.map((it) => it.narSize)));
    const what = count === 1 ? 'this path' : `these ${count} paths`;
    lines.push(
      `${what} will be fetched (${download} download, ${unpacked} unpacked):\n`,
      ...[...substitutions.map((it) => it.storePath), ...fetches].map(print),
    );
  }
  if (unknown.length > 0) lines.push("don't know how to build these paths:\n", ...unknown.map(print));
  return lines.join('');
}

export function planJson(
  { builds, substitutions, fetches, unknown }: RealisationPlan,
  store: StoreDirectory,
): unknown {
  const print = (path: StorePath): string => store.print(path);
  return {
    builds: builds.map(({ derivation, neededBy }) => ({
      derivation: print(derivation),
      neededBy: neededBy === undefined ? null : print(neededBy),
    })),
    substitutions: substitutions.map(({ storePath, from, narSize, downloadSize }) => ({
      path: print(storePath),
      from,
      narSize,
      downloadSize: downloadSize ?? null,
    })),
    fetches: fetches.map(print),
    unknown: unknown.map(print),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}
