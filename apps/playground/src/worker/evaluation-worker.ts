/**
 * The worker in which Nix runs: answers the requests of protocol.ts one after the other. The page terminates it when
 * something takes too long, and starts another one.
 */
import { encodeUtf8 } from '@neve/bytes';
import { coreHash, createEvaluator } from '@neve/eval';
import coreAddress from '@neve/language/neve.wasm?url';
import type { Answers, BuiltinName, Numbered, Request, Response } from '../protocol.ts';
import { type Engine, projectWorld } from './project-world.ts';
import { Session, settings } from './session.ts';

const engine: Promise<Engine> = startEngine();
let session: Session | undefined;
/** The request before: the next one waits for it. */
let last: Promise<void> = Promise.resolve();

self.addEventListener('message', ({ data }: MessageEvent<Numbered<Request>>) => {
  last = last.then(async () => reply(data));
});

async function reply(request: Numbered<Request>): Promise<void> {
  const { id } = request;
  let response: Response;
  try {
    response = { id, answer: await answer(request, await engine) };
  } catch (error) {
    response = { id, bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has one page to talk to
  self.postMessage(response);
}

async function answer(request: Request, running: Engine): Promise<Answers[keyof Answers]> {
  switch (request.kind) {
    case 'evaluate':
      session = new Session(running, request.files);
      return await session.evaluate(request);
    case 'force':
      return await evaluated().force(request.handle);
    case 'parts':
      return evaluated().parts(request.handle, request);
    case 'outline':
      return await new Session(running, request.files).outline(request.main);
    case 'profile': {
      const profiled = new Session(running, request.files, { frequency: request.frequency });
      await profiled.evaluate(request);
      return profiled.profile();
    }
    case 'builtins':
      return await builtinNames(running);
  }
}

function evaluated(): Session {
  if (session === undefined) throw new Error('nothing was evaluated yet');
  return session;
}

async function startEngine(): Promise<Engine> {
  const response = await fetch(coreAddress);
  if (!response.ok)
    throw new Error(`the language core cannot be loaded: ${response.status} ${response.statusText}`);
  const core = await WebAssembly.compile(await response.arrayBuffer());
  return { core, hash: coreHash(core) };
}

async function builtinNames(running: Engine): Promise<BuiltinName[]> {
  const { io } = projectWorld(running, { files: {}, onMessage: () => {} });
  const evaluator = createEvaluator({ core: running.core, io, settings });
  const source = { kind: 'string', text: encodeUtf8('builtins'), directory: '/' } as const;
  const builtins = await evaluator.evaluate(await evaluator.parse(source));
  return evaluator
    .parts(builtins, { from: 0, count: 1000 })
    .map(({ name = '', value }) => ({ name, kind: evaluator.describe(value).kind }));
}
