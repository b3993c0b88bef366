export { AsyncActiveSpans } from './async-active-spans.ts';
