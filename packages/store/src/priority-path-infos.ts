/**
 * Several services, asked one after another: the first that has a path info answers. Writes go to the first one. An error
 * of one is an error of all, since nobody can say that a path is not there when one could not be asked.
 */
import type { NarCalculationService, PathInfoService } from './path-info-service.ts';

/** `services` are in the order in which they are asked, at least one. Disposing of the result leaves them open. */
export function priorityPathInfos(services: readonly PathInfoService[]): PathInfoService {
  const [first] = services;
  if (first === undefined) throw new RangeError('there has to be a service to ask');
  const narCalculation: NarCalculationService | undefined = services.find(
    (it) => it.narCalculation !== undefined,
  )?.narCalculation;
  return {
    async get(hashPart, signal) {
      for (const service of services) {
        const pathInfo = await service.get(hashPart, signal);
        if (pathInfo !== undefined) return pathInfo;
      }
      return undefined;
    },
    async has(hashPart, signal) {
      for (const service of services) if (await service.has(hashPart, signal)) return true;
      return false;
    },
    put: (pathInfo, signal) => first.put(pathInfo, signal),
    async *list(signal) {
      const listed = new Set<string>();
      for (const service of services) {
        for await (const pathInfo of service.list(signal)) {
          const { hashPart } = pathInfo.storePath;
          if (listed.has(hashPart)) continue;
          listed.add(hashPart);
          yield pathInfo;
        }
      }
    },
    ...(narCalculation === undefined ? {} : { narCalculation }),
    async [Symbol.asyncDispose]() {},
  };
}
