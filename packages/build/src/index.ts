export { BuildError } from './build-error.ts';
export type { BuildErrorCode, BuildErrorOptions, ExitStatus } from './build-error.ts';
export type { BuildConstraints, BuildLimits, BuildRequest, HostPath } from './build-request.ts';
export { checkBuildRequest } from './check-build-request.ts';
export type { BuildOptions, BuildOutput, BuildResult, BuildService } from './build-service.ts';
export { dummyBuilder } from './dummy-builder.ts';
export { tracedBuilder } from './traced-builder.ts';
export { buildKind } from './service-kinds.ts';
