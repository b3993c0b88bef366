// The regular expression engine of the core by itself, for regex.test.ts and regex-differential.mjs.
export { allocatePermanent } from "../../assembly/memory/permanent";
export * from "../../assembly/regex/regex";
