import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeAbandonedCgroups } from './oci-cgroups.ts';

let mounted: string;

beforeEach(() => {
  mounted = mkdtempSync(join(tmpdir(), 'neve-cgroups-'));
});

afterEach(() => rmSync(mounted, { recursive: true }));

function makeCgroup(path: string, ageSeconds: number): void {
  mkdirSync(join(mounted, path), { recursive: true });
  const made = Date.now() / 1000 - ageSeconds;
  utimesSync(join(mounted, path), made, made);
}

test('a cgroup that a runtime has just made is kept: it has no process yet', () => {
  makeCgroup('cpuset/build-old', 120);
  makeCgroup('cpuset/build-new', 1);
  makeCgroup('cpuset/other', 120);
  // In the unified hierarchy there is no folder between.
  makeCgroup('build-old', 120);
  makeCgroup('memory/build-used/cgroup-of-its-own', 120);
  makeCgroup('memory/build-used', 120);
  removeAbandonedCgroups('build-', mounted);
  expect(readdirSync(mounted).toSorted()).toEqual(['cpuset', 'memory']);
  expect(readdirSync(join(mounted, 'cpuset')).toSorted()).toEqual(['build-new', 'other']);
  expect(readdirSync(join(mounted, 'memory'))).toEqual(['build-used']);
});
