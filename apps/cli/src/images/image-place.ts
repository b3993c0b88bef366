/**
 * Where the images of evaluations with the same settings are kept. There is one for each file of a package tree that evaluations
 * come to first, such as `default.nix` for packages, or a file below `nixos` for systems: who wants the one rarely wants what only
 * the other needs, and each reads all of an image. Which files there are images of is kept beside them, as a hint.
 */
import { imageSettings } from '@neve/eval';
import {
  type EntryName,
  type FoundImage,
  type ImageFolder,
  KeptImages,
  type NewImage,
} from '@neve/eval-images/node';
import type { CommandInput } from '../evaluate-command.ts';
import { type SessionSettings, coreFile, evaluatorSettings, hostFiles } from '../evaluation-session.ts';
import { coreVersion } from './evaluation-key.ts';
import { imageWishes, openImageFolder } from './image-cache.ts';
import { type TreeFiles, likelyTreeFile, treeNamedBy } from './image-wanted.ts';
import { fileWorldOf } from './noted-evaluation.ts';

export type ImageLookupInput = SessionSettings & Pick<CommandInput, 'build'>;

/** So many files are remembered, and are compared with what an evaluation names; and so many directories. */
const maxTreeFiles = 16;
const maxDirectories = 64;
/** The kind of the entry that has them in its info, under the settings. */
export const treeFilesKind = 'trees';

/** Which files there are images of, and which of them was come to from a directory; what was noted last comes first. */
type Hint = {
  readonly files: readonly string[];
  readonly directories: Readonly<Record<string, string>>;
};

export class ImagePlace {
  readonly #input: ImageLookupInput;
  readonly #folder: ImageFolder;
  readonly #images: KeptImages;
  readonly #settings: Readonly<Record<string, unknown>>;

  private constructor(
    input: ImageLookupInput,
    place: { folder: ImageFolder; images: KeptImages; settings: Readonly<Record<string, unknown>> },
  ) {
    this.#input = input;
    this.#folder = place.folder;
    this.#images = place.images;
    this.#settings = place.settings;
  }

  /** Undefined where there can be no image. */
  static open(input: ImageLookupInput): ImagePlace | undefined {
    const { args, settings, caller, build, storeAccess } = input;
    const evaluating = evaluatorSettings(input);
    if (lints(evaluating)) return undefined;
    const folder = openImageFolder(settings, caller.environment);
    if (folder === undefined) return undefined;
    // It is asked for digests, and writes nothing.
    const world = hostFiles({ ...input, storeAccess: { kind: 'computed' } });
    // Images of evaluations into a directory are for those with a store too, which may have what the directory does not.
    const storeIsFiles = storeAccess.kind === 'computed';
    const images = new KeptImages({ folder, files: fileWorldOf({ args, caller }), world, storeIsFiles });
    const keyed = {
      image: [...coreVersion({ build, caller }), coreFile(settings)],
      evaluator: JSON.parse(imageSettings(evaluating, world)) as unknown,
    };
    return new ImagePlace(input, { folder, images, settings: keyed });
  }

  /** Whether also what takes no time is kept. */
  get keepsEverything(): boolean {
    return imageWishes(this.#input.settings, this.#input.caller.environment).worthKeepingMs === 0;
  }

  /** The file that the evaluation probably comes to first, of those that there are images of; undefined if it names no tree. */
  likelyTreeFile(): string | undefined {
    const text = treeNamedBy(this.#input);
    return text === undefined ? undefined : likelyTreeFile(text, this.#treeFiles());
  }

  /** The file that an evaluation in this directory came to last, or whose image was kept last. */
  lastTreeFile(): string | undefined {
    const { files, last } = this.#treeFiles();
    return last ?? files[0];
  }

  /** Whether there may be one. */
  has(treeFile: string): boolean {
    return this.#images.has(this.#keyOf(treeFile));
  }

  async find(treeFile: string): Promise<FoundImage> {
    return await this.#images.find(this.#keyOf(treeFile));
  }

  /** Signs what was read; gives why it cannot be kept. */
  sign(...signed: Parameters<KeptImages['sign']>): string | undefined {
    return this.#images.sign(...signed);
  }

  /** Keeps an image whose reads were signed. */
  keep(treeFile: string, image: NewImage): void {
    if (!this.#images.keep(this.#keyOf(treeFile), image)) return;
    const { files, last } = this.#treeFiles();
    if (files[0] !== treeFile || last !== treeFile) this.#keepHint([treeFile, ...files], treeFile);
  }

  /** An evaluation has come to another file than was likely: the next one in this directory may come to it as well. */
  noteTreeFile(treeFile: string): void {
    const { files, last } = this.#treeFiles();
    if (files.includes(treeFile) && last !== treeFile) this.#keepHint(files, treeFile);
  }

  #keepHint(files: readonly string[], last: string): void {
    const { directory } = this.#input.caller;
    const others = Object.entries(this.#hint().directories).filter(([it]) => it !== directory);
    const directories: readonly (readonly [string, string])[] = [[directory, last], ...others];
    const info: Hint = {
      files: [...new Set(files)].slice(0, maxTreeFiles),
      directories: Object.fromEntries(directories.slice(0, maxDirectories)),
    };
    this.#folder.put({ ...this.#hintName(), info, reads: new Uint8Array() });
  }

  #treeFiles(): TreeFiles {
    const { files, directories } = this.#hint();
    const there = files.filter((it) => this.has(it));
    return { files: there, last: there.find((it) => it === directories[this.#input.caller.directory]) };
  }

  #hint(): Hint {
    using entry = this.#folder.find(this.#hintName());
    return { files: [], directories: {}, ...(entry?.info as Partial<Hint> | undefined) };
  }

  #hintName(): EntryName {
    return { kind: treeFilesKind, key: this.#keyOf(undefined) };
  }

  #keyOf(treeFile: string | undefined): string {
    return JSON.stringify({ ...this.#settings, treeFile });
  }
}

/** Warnings of the parser are for every evaluation that reads a file. */
function lints(settings: Partial<Parameters<typeof imageSettings>[0]>): boolean {
  const { lintUrlLiterals, lintShortPathLiterals, lintAbsolutePathLiterals } = settings;
  return [lintUrlLiterals, lintShortPathLiterals, lintAbsolutePathLiterals].some(
    (level) => level !== undefined && level !== 'ignore',
  );
}
