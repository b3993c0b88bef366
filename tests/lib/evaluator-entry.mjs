// What a harness needs to evaluate in its own process; `load-evaluator.mjs` bundles it.

export { decodeUtf8, encodeUtf8 } from '@neve/bytes';
export { renderDiagnostic } from '@neve/diagnostics';
export {
  EvalIOError,
  EvaluationError,
  OutOfMemory,
  createEvaluator,
  engineHasWideMemories,
  imageSettings,
  resumeEvaluator,
} from '@neve/eval';
export { RecordingIO } from '@neve/eval-images';
export { FileWorld, ImageFolder, KeptImages, KeptResults, sha256 } from '@neve/eval-images/node';
export { createFileSystemIO } from '@neve/eval-store/node';
export { evaluateCases } from '../browser/evaluate-cases.mjs';
