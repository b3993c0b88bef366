/** The editor's parser of Nix, generated from nix.grammar; by itself, for what needs no editor. */
import type { LRParser } from '@lezer/lr';
import { parser as generated } from '../../build/nix-parser.js';
import { nixHighlighting } from './highlighting.ts';

export const parser: LRParser = generated.configure({ props: [nixHighlighting] });
