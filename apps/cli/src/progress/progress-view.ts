/** What the model looks like at a moment, in lines for a screen of some size. */
import { formatBytes, formatDuration } from '../quantities.ts';
import type { TaskProgress } from './progress-event.ts';
import type { Build, ProgressModel, Transfer } from './progress-model.ts';
import { type TreeItem, type TreeStrokes, progressTree } from './progress-tree.ts';
import { type Line, type Span, harmless } from './screen-text.ts';

export type Symbols = {
  readonly running: string;
  readonly done: string;
  readonly failed: string;
  readonly waiting: string;
  readonly download: string;
  readonly separator: string;
  readonly ellipsis: string;
  readonly bar: { readonly full: string; readonly empty: string };
  readonly strokes: TreeStrokes;
};

export const unicodeSymbols: Symbols = {
  running: '▸',
  done: '✓',
  failed: '✗',
  waiting: '○',
  download: '↓',
  separator: '│',
  ellipsis: '…',
  bar: { full: '█', empty: '░' },
  strokes: { first: '┌ ', other: '├ ', pipe: '│ ', gap: '  ' },
};

/** For locales without Unicode. */
export const asciiSymbols: Symbols = {
  running: '>',
  done: '+',
  failed: 'x',
  waiting: '.',
  download: 'v',
  separator: '|',
  ellipsis: '...',
  bar: { full: '#', empty: '-' },
  strokes: { first: ', ', other: '|-', pipe: '| ', gap: '  ' },
};

export type ViewOptions = {
  readonly rows: number;
  readonly nowMs: number;
  readonly symbols: Symbols;
};

/** No lines when nothing goes on. */
export function progressLines(model: ProgressModel, { rows, nowMs, symbols }: ViewOptions): readonly Line[] {
  if (!model.isActive) return [];
  if (model.task !== undefined) return [taskLine(model.task, { model, nowMs, symbols })];
  // Half of the screen stays for what was printed.
  const maxRows = Math.floor(rows / 2) - 2;
  const last = summaryLine(model, { nowMs, symbols });
  if (maxRows < 1) return [last];
  const tree = progressTree(model, { maxRows, strokes: symbols.strokes });
  const lines = tree.rows.map(({ item, branch }): Line => [
    { text: branch, style: 'dim' },
    ...itemSpans(item, { model, nowMs, symbols }),
  ]);
  const more: Line = [{ text: `${symbols.ellipsis} ${tree.hidden} more`, style: 'dim' }];
  return [...(tree.hidden > 0 ? [more] : []), ...lines, last];
}

/** What was done, when it has ended; `undefined` for nothing. */
export function endingLine(
  model: ProgressModel,
  { nowMs, symbols }: Omit<ViewOptions, 'rows'>,
): Line | undefined {
  const { buildCounts: builds, transferCounts: transfers, downloadedBytes } = model;
  const refused = [...model.builds.values()].filter(({ state }) => state === 'refused').length;
  const notBuilt = refused + builds.waiting + builds.running;
  const parts: Span[] = [];
  if (builds.done > 0) parts.push({ text: `${symbols.done} ${builds.done} built`, style: 'green' });
  if (transfers.done > 0) {
    const bytes = downloadedBytes > 0 ? ` (${formatBytes(downloadedBytes)})` : '';
    parts.push({ text: `${symbols.download} ${transfers.done} fetched${bytes}`, style: 'green' });
  }
  if (builds.failed > 0) parts.push({ text: `${symbols.failed} ${builds.failed} failed`, style: 'red' });
  if (notBuilt > 0) parts.push({ text: `${symbols.waiting} ${notBuilt} not built`, style: 'dim' });
  if (parts.length === 0) return undefined;
  return [...spaced(parts), { text: `  ${formatDuration(nowMs - (model.startedMs ?? nowMs))}` }];
}

type ItemContext = { readonly model: ProgressModel; readonly nowMs: number; readonly symbols: Symbols };

function itemSpans(item: TreeItem, context: ItemContext): readonly Span[] {
  return item.kind === 'build' ? buildSpans(item.build, context) : transferSpans(item.transfer, context);
}

function buildSpans(build: Build, { model, nowMs, symbols }: ItemContext): readonly Span[] {
  switch (build.state) {
    case 'running':
      return runningSpans(build, { model, nowMs, symbols });
    case 'failed': {
      const phase = build.phase === undefined ? '' : ` in ${harmless(build.phase, { colour: false })}`;
      const after = formatDuration(build.endedMs - build.startedMs);
      return [
        { text: `${symbols.failed} ${build.name}`, style: 'red' },
        { text: `  failed${phase} after ${after}`, style: 'red' },
      ];
    }
    case 'refused':
    case 'waiting':
    case 'done': {
      if (model.isDoomed(build)) {
        return [{ text: `${symbols.failed} ${build.name}  needs what has failed`, style: 'red' }];
      }
      const missing = build.inputs.filter((it) => isMissing(model, it)).length;
      return [
        { text: `${symbols.waiting} ${build.name}`, style: 'dim' },
        { text: missing > 1 ? `  waits for ${missing}` : '', style: 'dim' },
      ];
    }
  }
}

function isMissing(model: ProgressModel, drvPath: string): boolean {
  const state = model.builds.get(drvPath)?.state ?? 'done';
  return state !== 'done';
}

function runningSpans(build: Build, { nowMs, symbols }: ItemContext): readonly Span[] {
  const elapsed = formatDuration(nowMs - build.startedMs);
  const { expectedMs, phase, lastLine } = build;
  const expected = expectedMs === undefined ? '' : ` of about ${formatDuration(expectedMs)}`;
  return [
    { text: `${symbols.running} `, style: 'yellow' },
    { text: build.name, style: 'bold' },
    { text: build.isCheck ? '  checking' : '' },
    { text: phase === undefined ? '' : `  ${harmless(phase, { colour: false })}`, style: 'blue' },
    { text: `  ${elapsed}${expected}` },
    {
      text:
        lastLine === undefined
          ? ''
          : `  ${symbols.separator} ${harmless(lastLine, { colour: false }).trim()}`,
      style: 'dim',
    },
  ];
}

function transferSpans(transfer: Transfer, { nowMs, symbols }: ItemContext): readonly Span[] {
  const { bytes, totalBytes, source, isUnpacking } = transfer;
  const share = totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, bytes / totalBytes);
  const size =
    share === undefined || totalBytes === undefined
      ? formatBytes(bytes)
      : `${formatBytes(bytes)} of ${formatBytes(totalBytes)} (${Math.floor(share * 100)}%)`;
  const isUrl = source.includes('://');
  const place = isUrl ? (/^[a-z0-9+.-]+:\/\/([^/?#]*)/i.exec(source)?.[1] ?? '') : source;
  const from = place === '' ? '' : `  from ${harmless(place, { colour: false })}`;
  return [
    { text: `${symbols.download} `, style: 'blue' },
    { text: harmless(transfer.name, { colour: false }), style: 'bold' },
    { text: bytes > 0 || totalBytes !== undefined ? `  ${size}` : '' },
    { text: isUnpacking ? '  unpacking' : '' },
    { text: from, style: 'dim' },
    { text: `  ${formatDuration(nowMs - transfer.startedMs)}` },
  ];
}

function summaryLine(model: ProgressModel, { nowMs, symbols }: Omit<ItemContext, 'model'>): Line {
  const { buildCounts: builds, transferCounts: transfers, locked } = model;
  const parts: Span[] = [
    { text: `${symbols.running} ${builds.running} building`, style: builds.running > 0 ? 'yellow' : 'dim' },
  ];
  if (builds.done > 0) parts.push({ text: `${symbols.done} ${builds.done} built`, style: 'green' });
  if (builds.failed > 0) parts.push({ text: `${symbols.failed} ${builds.failed} failed`, style: 'red' });
  if (builds.waiting > 0) parts.push({ text: `${symbols.waiting} ${builds.waiting} waiting`, style: 'dim' });
  const begun = transfers.running + transfers.done;
  if (begun + transfers.waiting > 0) {
    const rate = model.rate(nowMs);
    const speed = rate > 0 ? `, ${formatBytes(Math.round(rate))}/s` : '';
    const bytes = model.downloadedBytes > 0 ? ` (${formatBytes(model.downloadedBytes)}${speed})` : '';
    parts.push({
      text: `${symbols.download} ${transfers.done} of ${begun + transfers.waiting} fetched${bytes}`,
      style: 'blue',
    });
  }
  if (locked.size > 0 && builds.running + transfers.running === 0) {
    parts.push({ text: 'waiting for another process', style: 'dim' });
  }
  return [...spaced(parts), { text: `  ${formatDuration(nowMs - (model.startedMs ?? nowMs))}` }];
}

function taskLine(task: TaskProgress, { model, nowMs, symbols }: ItemContext): Line {
  const { verb, done, total, unit, bytes, totalBytes } = task;
  const elapsedMs = nowMs - (model.startedMs ?? nowMs);
  const spans: Span[] = [];
  const share = shareOf(task);
  if (share !== undefined) {
    const full = Math.round(share * 20);
    spans.push({
      text: `${symbols.bar.full.repeat(full)}${symbols.bar.empty.repeat(20 - full)} `,
      style: 'blue',
    });
  }
  spans.push({ text: `${verb} ${total === undefined ? done : `${done} of ${total}`} ${unit}` });
  if (bytes !== undefined) {
    const all = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
    spans.push({ text: `, ${formatBytes(bytes)}${all}` });
    if (elapsedMs > 500) spans.push({ text: `  ${formatBytes(Math.round((bytes * 1000) / elapsedMs))}/s` });
  }
  spans.push({ text: `  ${formatDuration(elapsedMs)}`, style: 'dim' });
  return spans;
}

function shareOf({ done, total, bytes, totalBytes }: TaskProgress): number | undefined {
  if (bytes !== undefined && totalBytes !== undefined && totalBytes > 0)
    return Math.min(1, bytes / totalBytes);
  return total === undefined || total === 0 ? undefined : Math.min(1, done / total);
}

function spaced(parts: readonly Span[]): readonly Span[] {
  return parts.flatMap((it, index) => (index === 0 ? [it] : [{ text: '  ' }, it]));
}
