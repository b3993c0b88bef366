/** Services in Bigtable. What they need is loaded when one is opened. */
import type { DirectoryService } from '@neve/castore';
import type { PathInfoService } from '@neve/store';
import type { BigtableOptions } from './bigtable-table.ts';

/** Throws `RpcError` (`unauthenticated`) without an emulator and a usable key of a service account. */
export async function openBigtableDirectories(options: BigtableOptions): Promise<DirectoryService> {
  const { BigtableDirectories } = await import('./bigtable-directories.ts');
  return BigtableDirectories.open(options);
}

/** Throws as `openBigtableDirectories` does. */
export async function openBigtablePathInfos(options: BigtableOptions): Promise<PathInfoService> {
  const { BigtablePathInfos } = await import('./bigtable-path-infos.ts');
  return BigtablePathInfos.open(options);
}
