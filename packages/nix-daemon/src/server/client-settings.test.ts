import type { ClientOptions } from '@neve/nix-compat/protocols';
import { expect, test } from 'vitest';
import { applySettings } from './client-settings.ts';

const settings: ClientOptions = {
  ...{ keepFailed: false, keepGoing: true, tryFallback: true, verbosity: 3, maxBuildJobs: 4 },
  ...{ maxSilentTime: 0, buildCores: 2, useSubstitutes: true, verboseBuild: true, overrides: new Map() },
};

function apply(overrides: Record<string, string>, isTrusted: boolean): ReturnType<typeof applySettings> {
  const rules = { isTrusted, trustedSubstituters: ['https://cache.nixos.org/', 'https://b'] };
  return applySettings({ ...settings, overrides: new Map(Object.entries(overrides)) }, rules);
}

test('settings in places of their own', () => {
  const { options, verbosity } = apply({}, false);
  expect(options).toMatchObject({ keepGoing: true, fallback: true, maxJobs: 4, cores: 2, substitutes: true });
  expect(options.maxSilentSeconds).toBe(undefined);
  expect(verbosity).toBe(3);
});

test('a trusted client sets what it likes', () => {
  const { options, warnings } = apply(
    {
      sandbox: 'relaxed',
      'sandbox-paths': '/a  /b=/c',
      timeout: '7',
      substituters: 'https://x',
      builders: 'ssh://h',
    },
    true,
  );
  expect(warnings).toEqual([
    "ignoring the client-specified 'builders': this daemon builds on its own machines only",
  ]);
  expect(options).toMatchObject({
    usesMachines: true,
    sandbox: 'relaxed',
    sandboxPaths: ['/a', '/b=/c'],
    timeoutSeconds: 7,
    caches: { substituters: ['https://x'] },
  });
});

test('others set limits of time only, and are told of the rest', () => {
  const { options, warnings } = apply(
    { sandbox: 'false', timeout: '7', 'max-silent-time': '8', builders: '' },
    false,
  );
  expect(options).toMatchObject({
    ...{ sandbox: undefined, timeoutSeconds: 7, maxSilentSeconds: 8, usesMachines: false },
  });
  expect(warnings).toEqual([
    "ignoring the client-specified setting 'sandbox', because it is a restricted setting and you are not a trusted user",
  ]);
});

test('others choose among trusted caches', () => {
  const { options, warnings } = apply(
    { substituters: 'https://cache.nixos.org https://b/ https://evil' },
    false,
  );
  expect(options.caches.substituters).toEqual(['https://cache.nixos.org', 'https://b/']);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("ignoring untrusted substituter 'https://evil'");
});

test('a value that makes no sense is left alone', () => {
  const { options, warnings } = apply({ timeout: 'soon', sandbox: 'maybe' }, true);
  expect(options).toMatchObject({ timeoutSeconds: undefined, sandbox: undefined });
  expect(warnings).toEqual([
    "setting 'timeout' has invalid value 'soon'",
    "setting 'sandbox' has invalid value 'maybe'",
  ]);
});
