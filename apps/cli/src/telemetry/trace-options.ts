/** `--trace-file` and `--tracer`, rows of every table of options. They are read before any of them (`measured-command.ts`). */
import type { OptionSpec } from '../parse-words.ts';

export const traceFileOption = {
  names: ['--trace-file'],
  parameters: ['FILE'],
  help: 'write what is done when as a trace for Perfetto or chrome://tracing',
} as const satisfies OptionSpec;

export const tracerOption = {
  names: ['--tracer'],
  parameters: ['KIND'],
  values: [['tracy']],
  help: '`tracy`: wait for Tracy 0.11 to connect (TRACY_PORT) and show it what is done',
} as const satisfies OptionSpec;
