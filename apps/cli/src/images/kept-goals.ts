/**
 * What the evaluation of a command that builds has come to, kept in place of what others print: its goals, and their derivations
 * as they were described, by which a store can tell whether their outputs are there.
 */
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@neve/bytes';
import type { WrittenPiece } from '@neve/eval-images/node';
import { type Added, decodeDescribed, encodeDescribed } from '@neve/eval-store/node';
import type { BuildGoal } from '../realise/realise-session.ts';

export type KeptGoals = { readonly goals: readonly BuildGoal[]; readonly derivations: Iterable<Added> };

/** `described` has the derivations of the goals among others. */
export function goalsPiece(goals: readonly BuildGoal[], described: Iterable<Added>): WrittenPiece {
  const missing = new Set(goals.flatMap((goal) => (goal.kind === 'outputs' ? [goal.drvPath] : [])));
  const derivations: Added[] = [];
  for (const it of described) {
    if (it.kind === 'derivation' && missing.delete(it.request.storePath)) derivations.push(it);
  }
  const text = JSON.stringify({ goals, derivations: encodeBase64(encodeDescribed(derivations)) });
  return { file: 1, bytes: encodeUtf8(text) };
}

/** From all that was written. */
export function goalsOf(written: readonly WrittenPiece[]): KeptGoals | undefined {
  const piece = written.findLast(({ file }) => file === 1);
  if (piece === undefined) return undefined;
  const { goals, derivations } = JSON.parse(decodeUtf8(piece.bytes)) as {
    readonly goals: readonly BuildGoal[];
    readonly derivations: string;
  };
  return { goals, derivations: decodeDescribed(decodeBase64(derivations)) };
}
