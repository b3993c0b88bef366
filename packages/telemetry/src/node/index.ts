export { asyncActiveSpans } from './async-active-spans.ts';
export { type TraceFile, type TraceFileOptions, openTraceFile } from './trace-file.ts';
