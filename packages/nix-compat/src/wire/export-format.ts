/**
 * What `nix-store --export` writes and what ssh stores import: objects one after another, references before referrers.
 *
 *     export = (1 NAR object)* 0
 *     object = 0x4558494e path references deriver ("" for none) (0 | 1 signature)
 *
 * Numbers have 64 bits, texts are strings of the protocols. Signatures are ignored, as they are by Nix.
 */
import { NixCompatError } from '../nix-compat-error.ts';
import type { StorePath } from '../store-path.ts';
import { record } from './compound-codecs.ts';
import { text } from './primitive-codecs.ts';
import { optionalStorePath, storePath, storePaths } from './store-codecs.ts';
import type { WireCodec } from './wire-codec.ts';

const magic = 0x4558494e;

/** What follows the NAR of an exported object. */
export type ExportedObject = {
  readonly path: StorePath;
  readonly references: readonly StorePath[];
  readonly deriver?: StorePath | undefined;
};

const fields: WireCodec<ExportedObject> = record<ExportedObject>({
  path: storePath,
  references: storePaths,
  deriver: optionalStorePath,
});

export const exportedObject: WireCodec<ExportedObject> = {
  *read(from, context) {
    if ((yield* from.readNumber(0xffff_ffff)) !== magic)
      throw bad('the mark of an exported object is missing');
    const object = yield* fields.read(from, context);
    if ((yield* from.readNumber(0xffff_ffff)) === 1) yield* text.read(from, context);
    return object;
  },
  write(to, object, context) {
    to.number(magic);
    fields.write(to, object, context);
    to.number(0);
  },
};

/** In front of each NAR, and at the end: whether another one follows. */
export const exportContinues: WireCodec<boolean> = {
  *read(from) {
    const number = yield* from.readNumber(Number.MAX_SAFE_INTEGER);
    if (number > 1) throw bad(`this is not an export: ${number} stands where 0 or 1 is expected`);
    return number === 1;
  },
  write: (to, continues) => to.bool(continues),
};

function bad(message: string): NixCompatError {
  return new NixCompatError('bad-message', message);
}
