/** The NAR of a node, hashed: by rendering all of it. Nothing is kept; `cachedNarCalculation` does that. */
import type { Hasher, HashFunctions } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { NarCalculation, NarCalculationService } from './path-info-service.ts';
import { renderNar } from './render-nar.ts';
import type { NarSources } from './render-nar.ts';

export type NarCalculationOptions = NarSources & { readonly hashes: HashFunctions };

export function narCalculationByRendering(options: NarCalculationOptions): NarCalculationService {
  return {
    async calculateNar(node: Node, signal?: AbortSignal): Promise<NarCalculation> {
      const hasher: Hasher = options.hashes.create('sha256');
      let narSize = 0;
      for await (const piece of renderNar(node, options, signal)) {
        hasher.update(piece);
        narSize += piece.length;
      }
      return { narSize, narHash: hasher.digest() };
    },
  };
}
