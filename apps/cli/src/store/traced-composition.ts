/** A composition whose services are spans when somebody listens: each call, with the name that its service has there. */
import { blobKind, directoryKind, tracedBlobs, tracedDirectories } from '@neve/castore';
import { Composition, type CompositionConfig } from '@neve/compose';
import { pathInfoKind, tracedPathInfos } from '@neve/store';
import { currentMetrics, currentTracing } from '@neve/telemetry';

export function tracedComposition(config: CompositionConfig): Composition {
  const composition = new Composition(config);
  if (currentTracing() === undefined && currentMetrics() === undefined) return composition;
  return composition
    .wrap(blobKind, (blobs, { instanceName }) => tracedBlobs(blobs, instanceName))
    .wrap(directoryKind, (directories, { instanceName }) => tracedDirectories(directories, instanceName))
    .wrap(pathInfoKind, (pathInfos, { instanceName }) => tracedPathInfos(pathInfos, instanceName));
}
