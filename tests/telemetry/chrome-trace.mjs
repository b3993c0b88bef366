// Reads a trace of Chrome as Perfetto's importer does: events of a track begin and end as calls of a thread do.

import assert from 'node:assert/strict';

/** @typedef {{ ph: string, name?: string, cat?: string, tid?: number, ts?: number, id?: number, args?: Record<string, unknown> }} TraceEvent */
/** @typedef {{ name: string, kind: string, track: string, start: number, end: number, parent: Slice | undefined, args: Record<string, unknown> }} Slice */

/** @param {string} text a file that may have been cut anywhere after a line @returns {readonly TraceEvent[]} */
export function readCutTrace(text) {
  const lines = text.slice(0, text.lastIndexOf('\n')).replace(/,$/, '');
  return JSON.parse(`${lines}]`);
}

/** @param {readonly TraceEvent[]} events @returns {readonly Slice[]} in the order of their beginnings */
export function slicesOf(events) {
  /** @type {Map<number | undefined, string>} */
  const tracks = new Map();
  for (const { name, tid, args } of events)
    if (name === 'thread_name') tracks.set(tid, String(args?.['name']));
  /** @type {Map<number | undefined, Slice[]>} */
  const open = new Map();
  /** @type {Map<number | undefined, number>} */
  const latest = new Map();
  /** @type {Slice[]} */
  const slices = [];
  for (const { ph, name = '', cat = '', tid, ts = 0, args = {} } of events) {
    if (ph !== 'B' && ph !== 'E') continue;
    assert.ok(ts >= (latest.get(tid) ?? 0), `time goes back on track ${tid}`);
    latest.set(tid, ts);
    const stack = open.get(tid) ?? [];
    open.set(tid, stack);
    if (ph === 'B') {
      const slice = {
        name,
        kind: cat,
        track: tracks.get(tid) ?? '',
        start: ts,
        end: NaN,
        parent: stack.at(-1),
        args,
      };
      stack.push(slice);
      slices.push(slice);
    } else {
      const ended = stack.pop();
      assert.ok(ended !== undefined, `something ends on track ${tid} that has not begun`);
      ended.end = ts;
      Object.assign(ended.args, args);
    }
  }
  return slices;
}
