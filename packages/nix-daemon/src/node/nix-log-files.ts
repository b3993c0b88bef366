/**
 * Logs of builds as clients on this machine look for them: `<folder>/drvs/<first two characters>/<rest of the base name>`, as
 * they were printed. A log is there when its build has ended.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { LogSink } from '@neve/realise';

export function nixLogFiles(folder: string): LogSink {
  return {
    async start({ baseName }) {
      const path = join(folder, 'drvs', baseName.slice(0, 2), baseName.slice(2));
      const temporary = `${path}.${randomUUID()}.tmp`;
      await mkdir(dirname(path), { recursive: true });
      const file = createWriteStream(temporary);
      const written = finished(file);
      // `end` tells of it.
      written.catch(() => undefined);
      return {
        write: (bytes) => void file.write(new Uint8Array(bytes)),
        async end() {
          file.end();
          try {
            await written;
            await rename(temporary, path);
          } catch (error) {
            await rm(temporary, { force: true });
            throw error;
          }
        },
      };
    },
  };
}

/** Every log goes into all of them. */
export function severalLogs(sinks: readonly LogSink[]): LogSink {
  return {
    async start(derivation) {
      const writers = await Promise.all(sinks.map((it) => it.start(derivation)));
      return {
        write: (bytes) => {
          for (const it of writers) it.write(bytes);
        },
        end: async () => {
          await Promise.all(writers.map((it) => it.end()));
        },
      };
    },
  };
}
