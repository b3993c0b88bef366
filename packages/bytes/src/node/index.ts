export { nodeHashes } from './node-hashes.ts';
