/** The commands of the prompt about a value: what it is, where it is written, and what is built of it. */
import type { Value } from '@neve/eval';
import type { Caller } from '../caller.ts';
import { documentationOf } from './documentation.ts';
import { editAt, placeToEdit } from './edited-place.ts';
import type { CommandId } from './repl-commands.ts';
import { replError } from './repl-line.ts';
import type { ReplStore } from './repl-store.ts';
import type { ReplWorld } from './repl-world.ts';
import { typeOfValue } from './value-type.ts';

/** Where answers are shown. */
export type ReplScreen = {
  readonly colour: boolean;
  /** Columns that text may take. */
  readonly columns: number;
  /** Shows a text that may be long. */
  readonly page: (text: string) => Promise<void>;
};

type Context = {
  readonly world: ReplWorld;
  readonly store: ReplStore;
  readonly caller: Caller;
  readonly screen: ReplScreen;
};

/** A value, and the expression that gave it. */
export type CommandSubject = { readonly value: Value; readonly text: string };

export class ValueCommands {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async run(command: CommandId, subject: CommandSubject): Promise<void> {
    const { world, caller, screen } = this.#context;
    const { value } = subject;
    switch (command) {
      case 'add':
        await world.add(value);
        return;
      case 'print':
        await this.#print(value);
        return;
      case 'type':
        caller.write(1, `${await typeOfValue(value, world)}\n`);
        return;
      case 'doc':
        caller.write(1, `${await documentationOf(subject, { world, ...screen })}\n`);
        return;
      case 'edit':
        await editAt(await placeToEdit(subject, world), caller);
        await world.reload();
        return;
      case 'build':
      case 'build-link':
        await this.#build(value, { isLinked: command === 'build-link' });
        return;
      case 'log':
        await this.#showLog(value);
        return;
      default:
        throw replError(
          "Neve has no shells and no profiles yet; ':b' builds, and ':bl' makes links to what was built",
        );
    }
  }

  async #print(value: Value): Promise<void> {
    const { world, caller, screen } = this.#context;
    const isString = world.evaluator.describe(value).kind === 'string';
    caller.write(
      1,
      isString
        ? await world.evaluator.toRaw(value)
        : await world.evaluator.printEvaluated(value, { colour: screen.colour }),
    );
    caller.write(1, '\n');
  }

  async #build(value: Value, { isLinked }: { readonly isLinked: boolean }): Promise<void> {
    const { store, caller } = this.#context;
    const goal = { kind: 'outputs', drvPath: await this.#drvPath(value), outputs: undefined } as const;
    const made = await store.capture({ kind: 'build', goals: [goal], json: true, check: false });
    if (made === undefined) return;
    caller.write(1, '\nThis derivation produced the following outputs:\n');
    for (const [output, storePath] of outputsIn(made)) {
      const link = `repl-result-${output}`;
      const isMade = isLinked && (await this.#link(storePath, link));
      caller.write(1, isMade ? `  ./${link} -> ${storePath}\n` : `  ${output} -> ${storePath}\n`);
    }
  }

  /** In the working directory. False where it cannot be made, which was told. */
  async #link(storePath: string, name: string): Promise<boolean> {
    const { store, caller } = this.#context;
    const task = {
      kind: 'build',
      goals: [{ kind: 'path', storePath }],
      json: true,
      check: false,
      link: `${caller.directory}/${name}`,
    } as const;
    return (await store.capture(task)) !== undefined;
  }

  async #showLog(value: Value): Promise<void> {
    const { store, screen } = this.#context;
    const goal = { kind: 'outputs', drvPath: await this.#drvPath(value), outputs: undefined } as const;
    const log = await store.capture({ kind: 'log', goals: [goal] });
    if (log !== undefined) await screen.page(log);
  }

  /** The store knows of the derivation then. */
  async #drvPath(value: Value): Promise<string> {
    const { world } = this.#context;
    const found = await world.scope.call(drvPathOf, new Map([['value', value]]));
    const { kind } = world.evaluator.describe(found);
    if (kind === 'bool') throw replError("expression does not evaluate to a derivation, so I can't build it");
    if (kind === 'null') {
      throw replError("expression did not evaluate to a valid derivation (no 'drvPath' attribute)");
    }
    const path = Buffer.from(await world.evaluator.toRaw(found)).toString();
    await world.loadStore();
    return path;
  }
}

const drvPathOf = `{ value }:
  if builtins.isAttrs value && value.type or null == "derivation" then value.drvPath or null else false`;

/** Outputs by name, in order, of what a build prints as JSON. */
function outputsIn(json: string): readonly (readonly [string, string])[] {
  const [row] = JSON.parse(json) as readonly { readonly outputs?: Readonly<Record<string, string>> }[];
  return Object.entries(row?.outputs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
