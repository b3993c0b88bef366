/**
 * What the text before the cursor may become: commands, files, names in angle brackets, variables, and attributes of what is
 * before a dot, which is evaluated for that: so far that its names are known, for some seconds, without builds and fetches, and
 * whatever it says on the way is not shown.
 */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Interruption } from '../interruption.ts';
import type { Candidates } from './editor/line-editor.ts';
import { findCommand, replCommands } from './repl-commands.ts';
import type { ReplWorld } from './repl-world.ts';

const timeLimitMs = 3000;

export type CompletionPlace = {
  readonly world: ReplWorld;
  readonly directory: string;
  readonly homeDirectory: string;
};

export async function completeRepl(
  before: string,
  place: CompletionPlace,
  signal: AbortSignal,
): Promise<Candidates> {
  const command = /^\s*(:\S*)$/.exec(before)?.[1];
  if (command !== undefined) {
    const names = replCommands.flatMap(({ names: all }) => all).filter((name) => name.startsWith(command));
    return { start: before.length - command.length, texts: names.sort() };
  }
  const [, name = '', argument] = /^\s*(:\S+)\s+(.*)$/s.exec(before) ?? [];
  if (argument !== undefined && findCommand(name)?.argument === 'path') return files(argument, before, place);
  const path = /(?:^|[\s(){}[\];,=])((?:\.{0,2}|~|\.{0,2}(?:\/[^\s/]*)*)\/\S*)$/.exec(before)?.[1];
  if (path !== undefined) return files(path, before, place);
  const angle = /<([^\s<>]*)$/.exec(before)?.[1];
  return await limited(place.world, signal, async () => {
    if (angle !== undefined) return await searchPathNames(angle, before, place);
    return (await attributes(before, place)) ?? (await variables(before, place));
  });
}

/** Files whose names begin with a dot are offered when that was typed. */
function files(typed: string, before: string, { directory, homeDirectory }: CompletionPlace): Candidates {
  const slash = typed.lastIndexOf('/') + 1;
  const [folder, prefix] = [typed.slice(0, slash), typed.slice(slash)];
  const start = before.length - typed.length;
  const place = resolve(directory, folder.replace(/^~(?=\/)/, homeDirectory));
  try {
    const names = readdirSync(place, { withFileTypes: true })
      .filter((it) => it.name.startsWith(prefix) && (prefix !== '' || !it.name.startsWith('.')))
      .map((it) => `${it.name}${it.isDirectory() || isFolder(join(place, it.name)) ? '/' : ''}`);
    return { start, texts: names.sort().map((name) => `${folder}${name}`) };
  } catch {
    return { start, texts: [] };
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** `<nixpkgs>`, and files of what such a name leads to. */
async function searchPathNames(typed: string, before: string, place: CompletionPlace): Promise<Candidates> {
  const { evaluator, scope } = place.world;
  const start = before.length - typed.length;
  const slash = typed.indexOf('/');
  if (slash === -1) {
    const names = await stringsOf('{ }: map (it: it.prefix) builtins.nixPath', place);
    const texts = [...new Set(names)].filter((it) => it !== '' && it.startsWith(typed));
    return { start, texts: texts.sort().map((it) => `${it}>`) };
  }
  const name = typed.slice(0, slash);
  const root = await evaluator.findFile(name);
  const found = files(`${root}${typed.slice(slash)}`, before, { ...place, directory: dirname(root) });
  void scope;
  return { start, texts: found.texts.map((text) => name + text.slice(root.length)) };
}

const identifier = "[a-zA-Z_][a-zA-Z0-9_'-]*";
const attributeName = `(?:${identifier}|"[^"$\\\\]*")`;
const selection = new RegExp(`(${identifier}(?:\\.${attributeName})*)\\.((?:[a-zA-Z0-9_'-]*)|"[^"$\\\\]*)$`);
const variable = new RegExp(`${identifier}$`);

/** `undefined` where there is no dot. */
async function attributes(before: string, { world }: CompletionPlace): Promise<Candidates | undefined> {
  const [, set, typed = ''] = selection.exec(before) ?? [];
  if (set === undefined) return undefined;
  const start = before.length - typed.length;
  const value = await world.evaluator.evaluate(await world.scope.parse(set, 'expression'));
  if (world.evaluator.describe(value).kind !== 'set') return { start, texts: [] };
  const names = await world.scope.attributeNames(value);
  const prefix = typed.replace(/^"/, '');
  const texts = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => (typed.startsWith('"') || !isIdentifier(name) ? JSON.stringify(name) : name));
  return { start, texts };
}

async function variables(before: string, place: CompletionPlace): Promise<Candidates> {
  const typed = variable.exec(before)?.[0] ?? '';
  const start = before.length - typed.length;
  // Nothing is no beginning of a name where something else was typed.
  if (typed === '' && /[^\s(){}[\];,=:!+*/<>|&?-]$/.test(before)) return { start, texts: [] };
  const globals = await stringsOf('{ }: builtins.attrNames builtins', place);
  const names = new Set([...(await place.world.scope.names()), ...globals.flatMap(globalNames)]);
  const texts = [...names].filter((name) => name.startsWith(typed)).sort();
  return { start, texts };
}

async function stringsOf(text: string, { world }: CompletionPlace): Promise<readonly string[]> {
  const list = await world.scope.call(text, new Map());
  return JSON.parse(Buffer.from(await world.evaluator.toJSON(list, { strict: true })).toString()) as string[];
}

/** A builtin is a variable by its own name if it is one of these, and else after two underscores. */
function globalNames(name: string): readonly string[] {
  return plainGlobals.has(name) ? [name] : [`__${name}`];
}

const plainGlobals: ReadonlySet<string> = new Set([
  ...[
    'abort',
    'baseNameOf',
    'break',
    'builtins',
    'derivation',
    'derivationStrict',
    'dirOf',
    'false',
    'fetchGit',
  ],
  ...[
    'fetchMercurial',
    'fetchTarball',
    'fetchTree',
    'fromTOML',
    'import',
    'isNull',
    'map',
    'null',
    'placeholder',
  ],
  ...['removeAttrs', 'scopedImport', 'throw', 'toString', 'true'],
]);

function isIdentifier(name: string): boolean {
  return new RegExp(`^${identifier}$`).test(name);
}

/** Whatever goes wrong, there are no candidates. */
async function limited(
  world: ReplWorld,
  signal: AbortSignal,
  find: () => Promise<Candidates>,
): Promise<Candidates> {
  const interrupt = (): void => {
    world.noteInterruption();
    world.evaluator.interrupt(new Interruption('SIGINT'));
  };
  const timer = setTimeout(interrupt, timeLimitMs);
  signal.addEventListener('abort', interrupt);
  try {
    return await world.quietly(find);
  } catch {
    return { start: 0, texts: [] };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupt);
  }
}
