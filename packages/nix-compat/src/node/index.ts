export { nodeEd25519 } from './node-ed25519.ts';
