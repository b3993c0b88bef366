/** Whether results of evaluations are kept for a caller, where, and how much of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ImageFolder } from '@neve/eval-images/node';
import { cacheFolder, homeFolder } from '../cache-folder.ts';
import type { Environment } from '../caller.ts';
import type { Settings } from '../settings.ts';

/** What takes less is evaluated again as quickly as it is looked up. */
const worthKeepingMs = 30;

export type ImageWishes = {
  readonly isOn: boolean;
  /** Evaluations that take less are not kept. */
  readonly worthKeepingMs: number;
};

/**
 * `--no-image` and the setting `image` are the same; they win over `NEVE_IMAGE`, which is `0` for never, `1` as without it,
 * and `always` to keep also what takes no time.
 */
export function imageWishes(settings: Settings, environment: Environment): ImageWishes {
  const { NEVE_IMAGE: word = '1' } = environment;
  const isOn = settings.has('image') ? settings.isOn('image') : !['0', 'no', 'off', 'false'].includes(word);
  return { isOn, worthKeepingMs: word === 'always' ? 0 : worthKeepingMs };
}

/** Undefined where there is nothing to put it in: a home directory that is missing is not made. */
export function openImageFolder(settings: Settings, environment: Environment): ImageFolder | undefined {
  const { XDG_CACHE_HOME: cache = '' } = environment;
  if (cache === '' && !existsSync(homeFolder(environment))) return undefined;
  return new ImageFolder({
    path: imageFolderPath(environment),
    maxBytes: settings.number('image-cache-size'),
  });
}

export function imageFolderPath(environment: Environment): string {
  return join(cacheFolder(environment), 'images');
}
