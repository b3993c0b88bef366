/**
 * What of `/proc` no build sees or changes, as the OCI runtimes have it: what tells of the whole machine or lets its owner,
 * who may be root outside as well, change it.
 */
import { statSync } from 'node:fs';

const hidden = [
  'acpi',
  'asound',
  'kcore',
  'keys',
  'latency_stats',
  'sched_debug',
  'scsi',
  'timer_list',
  'timer_stats',
];
const unwritable = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

export type ProcPath = { readonly path: string; readonly kind: 'file' | 'folder' };

let found: { readonly masked: readonly ProcPath[]; readonly readOnly: readonly ProcPath[] } | undefined;

/** Those that this kernel has and that are covered by nothing. */
export function maskedPaths(): readonly ProcPath[] {
  return find().masked;
}

/** Those that this kernel has and that cannot be written to. */
export function readOnlyPaths(): readonly ProcPath[] {
  return find().readOnly;
}

function find(): NonNullable<typeof found> {
  found ??= { masked: hidden.flatMap(lookUp), readOnly: unwritable.flatMap(lookUp) };
  return found;
}

function lookUp(name: string): readonly ProcPath[] {
  const path = `/proc/${name}`;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [{ path, kind: stats.isDirectory() ? 'folder' : 'file' }];
}
