/** What a server lets builds of its clients see of its machine. */
import { BuildError, type BuildRequest } from '@neve/build';

export type BuildPolicy = {
  /** Paths of the host, each with all below it, that builds may ask for. Only `/dev/kvm` unless given. */
  readonly hostPaths?: readonly string[] | undefined;
  /** Whether builds may ask to be without isolation, and so see all files of the host. */
  readonly allowsNoIsolation?: boolean | undefined;
  /** How many builds run at the same time; others wait. 16 unless given. */
  readonly maxBuilds?: number | undefined;
};

const defaultHostPaths: readonly string[] = ['/dev/kvm'];

/**
 * The request as it may run here: without optional paths that the server does not show. Throws `BuildError` (`unsupported`).
 * The request has been checked, so that its paths are clean.
 */
export function admitRequest(request: BuildRequest, policy: BuildPolicy): BuildRequest {
  const { constraints } = request;
  if (constraints.isolation === 'none' && policy.allowsNoIsolation !== true) {
    throw refused('the build is to be without isolation');
  }
  const allowed = policy.hostPaths ?? defaultHostPaths;
  const isShown = (path: string): boolean => allowed.some((it) => isAtOrBelow(path, it));
  const required = constraints.hostPaths.filter(({ optional }) => !optional).map(({ source }) => source);
  const missing = [...constraints.readOnlyPaths, ...required].find((path) => !isShown(path));
  if (missing !== undefined) throw refused(`the build wants the path '${missing}' of the host`);
  const hostPaths = constraints.hostPaths.filter(({ source }) => isShown(source));
  return { ...request, constraints: { ...constraints, hostPaths } };
}

function refused(what: string): BuildError {
  return new BuildError('unsupported', `${what}, which this server is not configured to allow`);
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
