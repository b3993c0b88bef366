export { memoryStore, putSamplePath, putSampleTree } from './sample-store.ts';
export type { SampleContents, SamplePath } from './sample-store.ts';
export { pathInfoCompliance } from './path-info-compliance.ts';
export type { PathInfoComplianceCase, PathInfoTraits } from './path-info-compliance.ts';
export {
  sampleGraph,
  sampleNodes,
  samplePath,
  samplePathInfo,
  sampleSignature,
} from './sample-path-infos.ts';
