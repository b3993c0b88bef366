/**
 * The names that an attribute path, or an argument of a function, could have. Nothing is built, fetched or written, whatever
 * the program would like, and all of its messages are swallowed.
 */
import { homedir } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Evaluator, Value } from '@neve/eval';
import type { Caller } from '../caller.ts';
import { applyConfigFiles } from '../config-files.ts';
import { chooseInput } from '../evaluate-command.ts';
import { evaluatingCommands } from '../evaluating-commands.ts';
import { functionArguments, startEvaluator } from '../evaluation-session.ts';
import { type CommandName, parseArguments } from '../parse-arguments.ts';
import { Settings } from '../settings.ts';

export type NameRequest = {
  readonly kind: 'attributes' | 'formals';
  /** The command and what stands before the word. */
  readonly words: readonly string[];
  /** What there is of the attribute path. */
  readonly prefix: string;
  readonly environment: Caller['environment'];
  readonly directory: string;
};

/** Answers the one request of a thread. */
export async function answerNames(): Promise<void> {
  const { request } = workerData as { readonly request: NameRequest };
  try {
    for await (const names of findNames(request)) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
      parentPort?.postMessage(names);
    }
  } catch {
    // A program that is not finished has no names yet.
  }
}

/** Gives answers, each better than the one before. Throws what evaluation throws. */
export async function* findNames({
  kind,
  words,
  prefix,
  ...place
}: NameRequest): AsyncGenerator<readonly string[], void, void> {
  const [first, ...rest] = words;
  const command = evaluatingCommands.find((name) => name === first);
  if (command === undefined) return;
  const caller = silentCaller(place);
  const { evaluator, root, args } = await open(command, { words: rest, caller });
  if (kind === 'formals') {
    yield await askFor(evaluator, formalNames, new Map([['value', root]]));
    return;
  }

  const { path, start } = splitPath(prefix);
  const set = await evaluator.autoCall(await evaluator.select(root, { path, args }), args);
  const names = await askFor(
    evaluator,
    attributeNames,
    new Map([
      ['value', set],
      ['start', evaluator.string(Buffer.from(start))],
    ]),
  );
  const paths = names.map((name) => (path === '' ? quoted(name) : `${path}.${quoted(name)}`));
  yield paths;
  const [only, more] = paths;
  // A set that is the only one is gone into.
  if (only === undefined || more !== undefined) return;
  if (await isOpenSet(evaluator, { root, path: only, args })) yield [`${only}.`];
}

type Opened = {
  readonly evaluator: Evaluator;
  readonly root: Value;
  readonly args: ReadonlyMap<string, Value>;
};

type Line = { readonly words: readonly string[]; readonly caller: Caller };

async function open(command: CommandName, { words, caller }: Line): Promise<Opened> {
  const settings = new Settings();
  applyConfigFiles(settings, caller.environment);
  const home = caller.environment['HOME'] ?? homedir();
  const expanded = words.map((word) => word.replace(/^~(?=\/)/, home));
  const last = expanded.at(-1) ?? '';
  // The option whose argument is looked for.
  const isLastOption = /^(-A|--attr|--arg|--argstr|--arg-from-file|--arg-from-stdin)$/.test(last);
  const args = parseArguments(isLastOption ? expanded.slice(0, -1) : expanded, { command, settings });
  settings.set('allow-import-from-derivation', 'false');
  const { evaluator } = await startEvaluator({ args, settings, caller, storeAccess: { kind: 'computed' } });
  // A prompt reads its arguments as they are read where one thing is evaluated.
  const evaluating = command === 'repl' ? 'eval' : command;
  const { sources } = await chooseInput(evaluator, { command: evaluating, args, caller });
  const [source] = sources;
  if (source === undefined) throw new Error('there is nothing to evaluate');
  return {
    evaluator,
    root: await evaluator.evaluate(await evaluator.parse(source)),
    args: await functionArguments(evaluator, { args, caller }),
  };
}

const formalNames =
  '{ value }: if builtins.isFunction value then builtins.attrNames (builtins.functionArgs value) else [ ]';

const attributeNames = `
  { value, start }:
  let
    names =
      if builtins.isAttrs value then builtins.attrNames value
      else if builtins.isList value then builtins.genList toString (builtins.length value)
      else [ ];
  in
  builtins.filter (name: builtins.substring 0 (builtins.stringLength start) name == start) names`;

const isSet = '{ value }: [ (builtins.toJSON (builtins.isAttrs value && value.type or "" != "derivation")) ]';

/** Applies a function to a set of values; it gives a list of strings. */
async function askFor(
  evaluator: Evaluator,
  code: string,
  values: ReadonlyMap<string, Value>,
): Promise<readonly string[]> {
  const program = await evaluator.parse({ kind: 'string', text: Buffer.from(code), directory: '/' });
  const result = await evaluator.autoCall(await evaluator.evaluate(program), values);
  const json = Buffer.from(await evaluator.toJSON(result, { strict: true })).toString();
  return JSON.parse(json) as readonly string[];
}

type Selected = Pick<Opened, 'root' | 'args'> & { readonly path: string };

async function isOpenSet(evaluator: Evaluator, { root, path, args }: Selected): Promise<boolean> {
  try {
    const value = await evaluator.select(root, { path, args });
    const [answer] = await askFor(evaluator, isSet, new Map([['value', value]]));
    return answer === 'true';
  } catch {
    return false;
  }
}

/** `a."b.c".d` is the path `a."b.c"`, in which a name begins with `d`. */
function splitPath(text: string): { readonly path: string; readonly start: string } {
  let end = -1;
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') isQuoted = !isQuoted;
    if (text[index] === '.' && !isQuoted) end = index;
  }
  return { path: text.slice(0, Math.max(end, 0)), start: text.slice(end + 1).replace(/^"/, '') };
}

function quoted(name: string): string {
  return name.includes('.') ? `"${name}"` : name;
}

function silentCaller(place: Pick<Caller, 'environment' | 'directory'>): Caller {
  return {
    ...place,
    write: () => undefined,
    report: () => undefined,
    wantsColour: () => false,
    readStandardInput: () => new Uint8Array(),
    watchInterruptions: () => ({ [Symbol.dispose]: () => undefined }),
  };
}
