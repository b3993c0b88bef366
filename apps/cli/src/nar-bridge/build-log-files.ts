/** The logs of builds in a folder, as a cache gives and takes them. */
import type { CacheLogs } from '@neve/nar-bridge';
import { BuildLogs } from '@neve/realise/node';

export function buildLogFiles(folder: string): CacheLogs {
  const logs = new BuildLogs(folder);
  return {
    read: (derivation) => logs.read(derivation),
    async write(derivation, log) {
      const writer = await logs.start(derivation);
      try {
        for await (const piece of log) writer.write(piece);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
      await writer.end();
    },
  };
}
