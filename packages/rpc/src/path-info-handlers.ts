/** `PathInfoService` for others. NARs are calculated by the path infos, or by the service that is given for it. */
import { encodeNixBase32 } from '@neve/bytes';
import { decodeEntry } from '@neve/castore';
import { decodePathInfo, encodePathInfo } from '@neve/store';
import type { NarCalculationService, PathInfoService } from '@neve/store';
import { answer, answerMany, type Handler } from './handler.ts';
import { RpcError } from './rpc-error.ts';
import { pathInfoMethods } from './services.ts';

const hashPartBytes = 20;

export function pathInfoHandlers(
  pathInfos: PathInfoService,
  narCalculation: NarCalculationService | undefined = pathInfos.narCalculation,
): readonly Handler[] {
  return [
    answer(pathInfoMethods.get, async ({ byWhat }, signal) => {
      if (byWhat.case !== 'byOutputHash') {
        throw new RpcError('unimplemented', 'a path info is asked for by its output hash');
      }
      if (byWhat.value.length !== hashPartBytes) {
        const length = byWhat.value.length;
        throw new RpcError('invalid-argument', `an output hash has ${hashPartBytes} bytes, not ${length}`);
      }
      const hashPart = encodeNixBase32(byWhat.value);
      const pathInfo = await pathInfos.get(hashPart, signal);
      if (pathInfo === undefined) throw new RpcError('not-found', `there is no path info for ${hashPart}`);
      return encodePathInfo(pathInfo);
    }),
    answer(pathInfoMethods.put, async (message, signal) =>
      encodePathInfo(await pathInfos.put(decodePathInfo(message), signal)),
    ),
    answer(pathInfoMethods.calculateNar, async (message, signal) => {
      const { name, node } = decodeEntry(message);
      if (name.length > 0) throw new RpcError('invalid-argument', 'the root of a NAR has no name');
      if (narCalculation === undefined) {
        throw new RpcError('unimplemented', 'this server does not calculate NARs');
      }
      const { narSize, narHash } = await narCalculation.calculateNar(node, signal);
      return { narSize: BigInt(narSize), narSha256: narHash.bytes };
    }),
    answerMany(pathInfoMethods.list, async function* (_, signal) {
      for await (const pathInfo of pathInfos.list(signal)) yield encodePathInfo(pathInfo);
    }),
  ];
}
