export { buildServiceCases } from './build-service-suite.ts';
export type { BuildComplianceCase, BuildServiceUnderTest, BuildTraits } from './build-service-suite.ts';
