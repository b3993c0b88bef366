/**
 * What a pure or restricted evaluation may see of the files: what is in an allowed place, what leads there, and what the
 * evaluation itself put into the store. Everything else is not there for those who ask, and forbidden for those who read.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type Answer, type ContextElement, type EvalIO, EvalIOError, afterAnswer } from './eval-io.ts';
import { normalise } from './path-resolution.ts';
import { type Steps, need, runSteps } from './steps.ts';

export type AccessRules = {
  readonly mode: 'pure' | 'restricted';
  /** Absolute paths: these and everything in them may be read. */
  readonly allowed: readonly string[];
};

const modeTexts = {
  pure: "in pure evaluation mode (use '--impure' to override)",
  restricted: 'in restricted mode',
} as const;

/** The same world, with the rules enforced. */
export function restrictAccess(io: EvalIO, { mode, allowed }: AccessRules): EvalIO {
  const places = new Set(allowed.map((path) => decodeUtf8(normalise(encodeUtf8(path)))));

  function isAllowed(path: Uint8Array): boolean {
    const text = decodeUtf8(path);
    for (const place of places) {
      if (text === place || isInside(text, place) || isInside(place, text)) return true;
    }
    return false;
  }

  function check(path: Uint8Array): void {
    if (isAllowed(path)) return;
    const message = `access to absolute path '${decodeUtf8(path)}' is forbidden ${modeTexts[mode]}`;
    throw new EvalIOError('permission-denied', message, { path });
  }

  const withContents = io.withContents?.bind(io);
  const hashBytes = io.hashBytes?.bind(io);
  const storePathReferences = io.storePathReferences?.bind(io);
  const realise = io.realise?.bind(io);
  const fetch = io.fetch?.bind(io);

  /** Allows a store object and what it refers to. */
  function allowClosure(storePath: string): Answer<void> {
    return runSteps(closureSteps(storePath));
  }

  function* closureSteps(storePath: string): Steps<void> {
    const missing = [storePath];
    while (true) {
      const next = missing.pop();
      if (next === undefined) return;
      if (places.has(next)) continue;
      places.add(next);
      missing.push(...((yield* need(storePathReferences?.(next))) ?? []));
    }
  }

  function* realiseSteps(
    wanted: NonNullable<EvalIO['realise']>,
    context: readonly ContextElement[],
  ): Steps<readonly string[]> {
    const paths = yield* need(wanted(context));
    for (const [index, element] of context.entries()) {
      const path = paths[index];
      if (element.kind === 'output' && path !== undefined) yield* need(allowClosure(path));
      else if (path !== undefined) places.add(path);
    }
    return paths;
  }

  return {
    readFile(path) {
      check(path);
      return io.readFile(path);
    },
    ...(withContents && {
      withContents<T>(path: Uint8Array, use: (contents: Uint8Array) => T): Answer<T> {
        check(path);
        return withContents(path, use);
      },
    }),
    ...(hashBytes && { hashBytes }),
    ...(storePathReferences && { storePathReferences }),
    ...(realise && { realise: (context) => runSteps(realiseSteps(realise, context)) }),
    ...(fetch && {
      fetch: (request) =>
        afterAnswer(fetch(request), (fetched) => {
          places.add(fetched.storePath);
          return fetched;
        }),
    }),
    fileType: (path) => (isAllowed(path) ? io.fileType(path) : undefined),
    readDirectory(path) {
      check(path);
      return io.readDirectory(path);
    },
    readLink(path) {
      check(path);
      return io.readLink(path);
    },
    environmentVariable: (name) => io.environmentVariable(name),
    currentTime: () => io.currentTime(),
    addPathToStore(options) {
      check(options.path);
      return afterAnswer(io.addPathToStore(options), (added) => {
        places.add(added.storePath);
        return added;
      });
    },
    hashFile(options) {
      check(options.path);
      return io.hashFile(options);
    },
    addTextToStore: (options) =>
      afterAnswer(io.addTextToStore(options), (storePath) => {
        places.add(storePath);
        return storePath;
      }),
    writeDerivation(options) {
      places.add(options.storePath);
      return io.writeDerivation(options);
    },
    isValidStorePath: (path) =>
      afterAnswer(io.isValidStorePath(path), (valid) => {
        if (valid) places.add(decodeUtf8(path));
        return valid;
      }),
    toStorePath: (path) => io.toStorePath(path),
    message: (level, text, about) => {
      io.message(level, text, about);
    },
  };
}

function isInside(path: string, directory: string): boolean {
  return directory === '/' || path.startsWith(`${directory}/`);
}
