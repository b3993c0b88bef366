export { type TracyServed, type TracyOptions, serveTracy } from './serve-tracy.ts';
