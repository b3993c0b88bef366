export {
  StorePath,
  checkStorePathName,
  hashPartLength,
  maxNameLength,
  parseStorePath,
} from './store-path.ts';
export { StoreDirectory, foldBytes } from './store-directory.ts';
export type { FixedContent, FixedMethod, PathInStore, TextContent } from './store-directory.ts';
export { NarWriter } from './nar-writer.ts';
export { NixCompatError } from './nix-compat-error.ts';
export type { NixCompatErrorCode } from './nix-compat-error.ts';
