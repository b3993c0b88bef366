export { BuildError } from './build-error.ts';
export type { BuildErrorCode, BuildErrorOptions, ExitStatus } from './build-error.ts';
export type { BuildConstraints, BuildLimits, BuildRequest, HostPath } from './build-request.ts';
export type { BuildOptions, BuildOutput, BuildResult, BuildService } from './build-service.ts';
