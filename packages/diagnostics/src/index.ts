export type { Diagnostic, DiagnosticKind, Origin, Position, Trace } from './diagnostic.ts';
export { printPosition, renderDiagnostic } from './render-diagnostic.ts';
export type { RenderOptions } from './render-diagnostic.ts';
export { findSuggestions, phraseSuggestions } from './suggestions.ts';
export { isSecretName, redactUrl, redactUrlsIn } from './redact-url.ts';
export { LineTable } from './line-table.ts';
export type { LineAndColumn } from './line-table.ts';
export { colours, terminalText } from './terminal-text.ts';
