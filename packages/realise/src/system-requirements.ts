/** Whether a machine can build a derivation: its system, and the features that the derivation requires. */
import { decodeUtf8 } from '@neve/bytes';
import { requiredSystemFeatures } from '@neve/nix-compat';
import type { StoreDirectory } from '@neve/nix-compat';
import type { BuildSettings } from './build-settings.ts';
import { RealiseError } from './realise-error.ts';
import type { ResolvedDerivation } from './resolved-derivation.ts';

export type Requirements = Pick<ResolvedDerivation, 'path' | 'derivation' | 'type' | 'options'>;

export type Machine = Pick<BuildSettings, 'systems' | 'systemFeatures'>;

/** Builders that are part of Nix run on every system. */
export function isBuiltin({ derivation }: Pick<Requirements, 'derivation'>): boolean {
  return decodeUtf8(derivation.builder).startsWith('builtin:');
}

/** Why the machine cannot build it, a sentence each; empty when it can. */
export function missingRequirements(
  required: Requirements,
  { systems, systemFeatures }: Machine,
): readonly string[] {
  const system = decodeUtf8(required.derivation.system);
  const features = requiredSystemFeatures(required.options, required.type);
  const mismatch =
    systems.includes(system) || isBuiltin(required)
      ? []
      : [
          `Reason: platform mismatch\nRequired system: '${system}'\n` +
            `Current system: '${systems[0] ?? 'none'}'`,
        ];
  const missing = features.every((it) => systemFeatures.has(it))
    ? []
    : [
        `Reason: missing system features\nRequired features: {${features.join(', ')}}\n` +
          `Available features: {${[...systemFeatures].sort().join(', ')}}`,
      ];
  return [...mismatch, ...missing];
}

/** Throws `RealiseError` (`unsupported-system`). */
export function checkRequirements(required: Requirements, machine: Machine, store: StoreDirectory): void {
  const reasons = missingRequirements(required, machine);
  if (reasons.length === 0) return;
  throw new RealiseError(
    'unsupported-system',
    [`Cannot build '${store.print(required.path)}'.`, ...reasons].join('\n'),
  );
}
