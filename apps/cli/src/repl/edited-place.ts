/** Where a value is written, and the editor that shows the place. */
import { spawn } from 'node:child_process';
import type { Caller } from '../caller.ts';
import { replError } from './repl-line.ts';
import type { ReplWorld } from './repl-world.ts';
import type { CommandSubject } from './value-commands.ts';

export type EditedPlace = { readonly path: string; readonly line: number | undefined };

/** A path, a function, or a package, which says where it is in `meta.position`. */
export async function placeToEdit(
  { value, text }: CommandSubject,
  { evaluator, scope }: ReplWorld,
): Promise<EditedPlace> {
  const { kind } = evaluator.describe(value);
  const raw = async (it: typeof value): Promise<string> => Buffer.from(await evaluator.toRaw(it)).toString();
  if (kind === 'path' || kind === 'string') {
    return {
      path: await raw(await scope.call('{ value }: toString value', new Map([['value', value]]))),
      line: undefined,
    };
  }
  const source = kind === 'lambda' ? evaluator.functionSource(value) : undefined;
  if (source?.position !== undefined) {
    const { origin, line } = source.position;
    if (origin.kind === 'file') return { path: origin.path, line };
    throw replError('the function was not read from a file, so that it cannot be shown in an editor');
  }
  const unknown = replError(`package '${text}' has no source location information`);
  if (kind !== 'set') throw unknown;
  const position = await scope.call('{ value }: value.meta.position or null', new Map([['value', value]]));
  if (evaluator.describe(position).kind !== 'string') throw unknown;
  const written = await raw(position);
  const [, path, line] = /^(.*):(\d+)$/s.exec(written) ?? [];
  if (path === undefined) throw replError(`cannot parse 'meta.position' attribute '${written}'`);
  return { path, line: Number(line) };
}

/** Waits for `$EDITOR`, which has the terminal meanwhile. Without one the file is printed. */
export async function editAt({ path, line }: EditedPlace, { environment, directory }: Caller): Promise<void> {
  const { EDITOR: editor = 'cat' } = environment;
  const [program = 'cat', ...words] = editor.split(/\s+/).filter((word) => word !== '');
  const knowsLines = /emacs|nano|vim|kak/.test(editor);
  const place = line !== undefined && line > 0 && knowsLines ? [`+${line}`] : [];
  await runAtTerminal(program, [...words, ...place, path], directory);
}

// oxlint-disable-next-line eslint/max-params -- what, with what, and where
function runAtTerminal(program: string, words: readonly string[], directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd: directory, stdio: 'inherit' });
    child.on('error', (error) =>
      reject(replError(`the editor '${program}' cannot be started: ${error.message}`)),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(replError(`program '${program}' failed with exit code ${code ?? 'of a signal'}`));
    });
  });
}
