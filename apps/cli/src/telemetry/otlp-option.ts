/** `--otlp`, a row of every table of options. It is read before any of them (`measured-command.ts`). */
import type { OptionSpec } from '../parse-words.ts';

export const otlpOption = {
  names: ['--otlp'],
  parameters: [],
  optionalValue: 'BOOL',
  help: 'send spans, metrics and logs by OTLP (default: when OTEL_EXPORTER_OTLP_ENDPOINT is set)',
} as const satisfies OptionSpec;
