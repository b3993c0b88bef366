export { type Otlp, type OtlpOptions, startOtlp } from './start-otlp.ts';
export { isConfigured } from './otlp-settings.ts';
