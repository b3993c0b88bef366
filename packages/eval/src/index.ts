export { EvalIOError, afterAnswer } from './eval-io.ts';
export type {
  AddPathOptions,
  AddTextOptions,
  AddedPath,
  Answer,
  ContextElement,
  DirectoryEntry,
  EvalIO,
  EvalIOErrorCode,
  FetchAttribute,
  FetchRequest,
  FetchedTree,
  FileType,
  HashFileOptions,
  IngestionMethod,
  MessageLevel,
  MessageSubject,
  PathSet,
  WriteDerivationOptions,
} from './eval-io.ts';
export { asIOError } from './store-path-errors.ts';
export { EvaluationError, defaultSettings } from './evaluator.ts';
export type {
  CodeBlock,
  DerivationOutput,
  DistinctValues,
  Evaluator,
  EvaluatorOptions,
  EvaluatorSettings,
  FunctionSource,
  ImageOptions,
  ImageUse,
  Instruction,
  LintLevel,
  PrintLayout,
  Program,
  ProgramOutline,
  SearchPathEntry,
  Source,
  SyntaxNode,
  Value,
  ValueDescription,
  ValueKind,
  ValuePart,
} from './evaluator.ts';
export { OutOfMemory } from './out-of-memory.ts';
export { engineHasWideMemories, narrowReach } from './wide-addresses.ts';
export { createEvaluator, imageSettings, resumeEvaluator } from './create-evaluator.ts';
export type { CoreImage, KeptImage } from './core-image.ts';
export { createMemoryIO } from './memory-io.ts';
export type { MemoryFiles, MemoryIOOptions } from './memory-io.ts';
export { evaluateJson } from './evaluate-json.ts';
export type { ProfilerOptions } from './profile/core-profiler.ts';
export type {
  EvaluationProfile,
  FrameKind,
  ProfileFrame,
  ProfileFunction,
  ProfilePlace,
  ProfileStack,
} from './profile/profile.ts';
export { printCollapsedStacks } from './profile/collapsed-stacks.ts';
export { type Costs, type FileCost, type FunctionCost, costsOf, printCosts } from './profile/costs.ts';
export { coreHash } from './core-hashes.ts';
export type { HashBytes } from './core-hashes.ts';
export { treeSign } from './shared-trees.ts';
