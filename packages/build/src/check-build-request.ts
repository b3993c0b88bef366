/** The rules of `BuildRequest`. Whoever has a request checks it once; builders rely on it. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { PathComponent, minNeedleLength } from '@neve/castore';
import { BuildError } from './build-error.ts';
import type { BuildRequest } from './build-request.ts';

const maxPathBytes = 4095;

/** What a sandbox has of its own: nothing can be placed there. */
const reserved = ['dev', 'proc', 'sys'] as const;

/**
 * Throws `BuildError` (`invalid-request`), which says which rule is broken by what:
 *
 *   - the names of inputs can be names of files;
 *   - paths inside are clean and relative, `workingDirectory` and `inputsDirectory` may be empty, that is the root;
 *     none is in `/dev`, `/proc` or `/sys`;
 *   - the program is a clean absolute path; arguments, names and values of variables have no NUL, names are not empty and
 *     have no `=`;
 *   - an output and a file lie below a scratch path; no path is twice among the outputs, or below another of them, and
 *     none is, holds, or is in an input;
 *   - needles are no shorter than what can be searched for;
 *   - paths of the host are clean and absolute; the system is named; limits are positive numbers.
 *
 * The order of paths, variables and needles means nothing.
 */
export function checkBuildRequest(request: BuildRequest): void {
  checkPlaces(request);
  checkCommand(request);
  checkOutputs(request);
  checkFiles(request);
  for (const [index, needle] of request.needles.entries()) {
    if (needle.length >= minNeedleLength) continue;
    throw invalid(`needle ${index} has ${needle.length} bytes; it needs ${minNeedleLength} at least`);
  }
  checkConstraints(request);
  checkLimits(request);
}

/** Whether `path` is `folder` or below it; both are clean and relative. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** A path below a folder, which may be the root. */
export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function invalid(problem: string): BuildError {
  return new BuildError('invalid-request', `the build request is invalid: ${problem}`);
}

function checkPlaces({ inputs, inputsDirectory, workingDirectory, scratchPaths }: BuildRequest): void {
  for (const name of inputs.keys()) checkName(name);
  if (inputsDirectory !== '') checkPlace(inputsDirectory, 'the directory of the inputs');
  if (workingDirectory !== '') checkPlace(workingDirectory, 'the working directory');
  const seen = new Set<string>();
  for (const path of scratchPaths) {
    checkPlace(path, 'the scratch path');
    if (seen.has(path)) throw invalid(`the scratch path '${path}' is there twice`);
    seen.add(path);
    for (const name of inputs.keys()) {
      if (!isWithin(path, joinPath(inputsDirectory, name))) continue;
      throw invalid(`the scratch path '${path}' is in the input '${name}'`);
    }
  }
}

function checkName(name: string): void {
  try {
    checkText(name, 'the name of an input');
    void new PathComponent(encodeUtf8(name));
  } catch (cause) {
    if (cause instanceof BuildError) throw cause;
    throw invalid(`an input is called '${name}', which cannot be the name of a file`);
  }
}

function checkCommand({ command, programName, environment }: BuildRequest): void {
  const [program, ...parameters] = command;
  checkAbsolute(program, 'the program');
  if (programName !== undefined) checkText(programName, 'the name of the program');
  for (const parameter of parameters) checkText(parameter, 'a parameter');
  for (const [name, value] of environment) {
    checkText(name, 'the name of a variable');
    if (name === '') throw invalid('a variable has an empty name');
    if (name.includes('=')) throw invalid(`the name of the variable '${name}' has a '='`);
    if (value.includes(0)) throw invalid(`the value of the variable '${name}' has a NUL`);
  }
}

function checkOutputs({ outputs, scratchPaths, inputs, inputsDirectory }: BuildRequest): void {
  for (const [index, output] of outputs.entries()) {
    checkPlace(output, 'the output');
    const isBelow = scratchPaths.some((it) => output !== it && isWithin(output, it));
    if (!isBelow) throw invalid(`the output '${output}' is not below a scratch path`);
    for (const other of outputs.slice(0, index)) {
      if (isWithin(output, other) || isWithin(other, output)) {
        throw invalid(`the outputs '${other}' and '${output}' are the same, or one is in the other`);
      }
    }
    for (const scratch of scratchPaths) {
      if (isWithin(scratch, output))
        throw invalid(`the output '${output}' holds a scratch path, '${scratch}'`);
    }
  }
  checkApart(outputs, 'the output', { inputs, inputsDirectory });
}

function checkFiles({ files, scratchPaths, inputs, inputsDirectory, outputs }: BuildRequest): void {
  for (const path of files.keys()) {
    checkPlace(path, 'the file');
    if (!scratchPaths.some((it) => path !== it && isWithin(path, it))) {
      throw invalid(`the file '${path}' is not below a scratch path`);
    }
    for (const scratch of scratchPaths) {
      if (isWithin(scratch, path))
        throw invalid(`the file '${path}' is where a scratch path is, '${scratch}'`);
    }
    for (const output of outputs) {
      if (isWithin(path, output)) throw invalid(`the file '${path}' is in the output '${output}'`);
    }
    for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
      if (files.has(parent)) throw invalid(`the file '${path}' is in the file '${parent}'`);
    }
  }
  checkApart([...files.keys()], 'the file', { inputs, inputsDirectory });
}

/** That no path is, holds, or is in an input. */
function checkApart(
  paths: readonly string[],
  what: string,
  { inputs, inputsDirectory }: Pick<BuildRequest, 'inputs' | 'inputsDirectory'>,
): void {
  if (inputs.size === 0) return;
  for (const path of paths) {
    if (isWithin(inputsDirectory, path)) throw invalid(`${what} '${path}' is where the inputs are`);
    if (!isWithin(path, inputsDirectory)) continue;
    const rest = inputsDirectory === '' ? path : path.slice(inputsDirectory.length + 1);
    const [name = ''] = rest.split('/');
    if (inputs.has(name)) throw invalid(`${what} '${path}' is where the input '${name}' is`);
  }
}

function checkConstraints({ constraints }: BuildRequest): void {
  const { system, minMemoryBytes, readOnlyPaths, hostPaths } = constraints;
  checkText(system, 'the system');
  if (system === '') throw invalid('it names no system');
  if (!Number.isSafeInteger(minMemoryBytes) || minMemoryBytes < 0) {
    throw invalid(`it wants ${minMemoryBytes} bytes of memory`);
  }
  for (const path of readOnlyPaths) checkAbsolute(path, 'a path of the host');
  for (const { target, source } of hostPaths) {
    checkAbsolute(target, 'the target of a path of the host');
    checkAbsolute(source, 'a path of the host');
    if (target === '/') throw invalid('a path of the host is to be the root of the sandbox');
  }
}

function checkLimits({ limits }: BuildRequest): void {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || (Number.isFinite(value) && value > 0)) continue;
    throw invalid(`the limit '${name}' is ${value}; it is a number above 0, or left out`);
  }
}

function checkPlace(path: string, what: string): void {
  checkClean(path, `${what} '${path}'`);
  if (path.startsWith('/'))
    throw invalid(`${what} '${path}' is absolute; paths inside are relative to the root`);
  const [first = ''] = path.split('/');
  const found = reserved.find((it) => it === first);
  if (found !== undefined)
    throw invalid(`${what} '${path}' is in /${found}, which every sandbox has of its own`);
}

function checkAbsolute(path: string, what: string): void {
  if (!path.startsWith('/')) throw invalid(`${what}, '${path}', is not an absolute path`);
  if (path !== '/') checkClean(path.slice(1), `${what}, '${path}'`);
}

function checkClean(path: string, what: string): void {
  checkText(path, what);
  if (encodeUtf8(path).length > maxPathBytes) throw invalid(`${what} is longer than a path can be`);
  if (path.startsWith('/')) return;
  for (const component of path.split('/')) {
    if (component === '') throw invalid(`${what} has an empty component, or is empty`);
    if (component === '.' || component === '..') throw invalid(`${what} has a component '${component}'`);
  }
}

function checkText(text: string, what: string): void {
  if (text.includes('\0')) throw invalid(`${what} has a NUL`);
  if (decodeUtf8(encodeUtf8(text)) !== text) throw invalid(`${what} is not Unicode text`);
}

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? undefined : path.slice(0, slash);
}
