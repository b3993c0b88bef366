/** `neve store verify`: names what is damaged, and gets it again from another store. */
import { nodeEd25519 } from '@neve/nix-compat/node';
import { parsePublicKey } from '@neve/nix-compat';
import { nodeHashes } from '@neve/bytes/node';
import { type Finding, narCalculationByRendering, repairStore, verifyStore } from '@neve/store';
import { write } from '../output.ts';
import { TaskDisplay } from '../progress/task-display.ts';
import { UsageError } from '../usage-error.ts';
import { openNamedStore, openStore, storeDirectory } from './open-store.ts';
import { storeCommand } from './store-command.ts';
import { openState } from './store-state.ts';

export const verifyCommand = storeCommand({
  name: 'verify',
  summary: 'find what is damaged or missing, and repair it',
  usage: ['verify [OPTIONS]', 'verify [OPTIONS] --repair-from STORE'],
  arguments: [],
  description: `Reads everything in the store and names every damaged object and the store paths that it breaks. The exit code
is 1 when something is damaged and was not repaired.`,
  options: {
    deep: { names: ['--nar'], parameters: [], help: 'also compute the NAR hash of every path again' },
    key: {
      names: ['--trusted-public-key'],
      parameters: ['KEY'],
      help: 'check signatures by this key (repeatable)',
    },
    repairFrom: {
      names: ['--repair-from'],
      parameters: ['STORE'],
      help: 'get what is damaged or missing from there',
    },
  },
  async run(args, signal) {
    if (args.positional.length > 0)
      throw new UsageError('neve store verify takes no arguments: it reads everything');
    const from = args.last('repairFrom');
    await using store = await openStore(args);
    await using state = from === undefined ? undefined : await openState(args);
    await using _lease = await state?.leases.acquire();
    const directory = storeDirectory(args);
    using progress = new TaskDisplay(args);
    let checked = 0;
    const { findings, checkedPaths } = await verifyStore(
      {
        store,
        storeDirectory: directory,
        ed25519: nodeEd25519,
        keys: args.all('key').map(parsePublicKey),
        // What was computed before must not be believed here.
        ...(args.has('deep') && { deep: narCalculationByRendering({ ...store, hashes: nodeHashes }) }),
        onPath: () => {
          checked++;
          progress.show({ verb: 'checked', done: checked, unit: 'paths' });
        },
      },
      signal,
    );
    progress[Symbol.dispose]();
    let left: readonly Finding[] = findings;
    let repaired: readonly Finding[] = [];
    const reasons = new Map<Finding, string>();
    if (from !== undefined && findings.length > 0) {
      await using source = await openNamedStore(from, args);
      const result = await repairStore(findings, { store, source }, signal);
      repaired = result.repaired;
      left = result.failed.map(({ finding }) => finding);
      for (const { finding, reason } of result.failed) reasons.set(finding, reason);
    }
    const paths = (finding: Finding): readonly string[] =>
      finding.storePaths.map((it) => directory.print(it));
    if (args.has('json')) {
      const json = (finding: Finding): Record<string, unknown> => ({
        kind: finding.kind,
        ...('digest' in finding ? { digest: String(finding.digest) } : { hashPart: finding.hashPart }),
        problem: finding.problem,
        storePaths: paths(finding),
      });
      write(
        1,
        `${JSON.stringify({ checkedPaths, repaired: repaired.map(json), damaged: left.map(json) })}\n`,
      );
    } else {
      for (const finding of repaired) write(1, `repaired: ${finding.problem}\n`);
      for (const finding of left) {
        const reason = reasons.get(finding);
        const notRepaired = reason === undefined ? '' : ` (not repaired: ${reason})`;
        write(1, `damaged: ${finding.problem}${notRepaired}\n`);
        for (const path of paths(finding)) write(1, `  breaks ${path}\n`);
      }
      if (!args.has('quiet')) {
        write(
          2,
          `${checkedPaths} paths checked, ${repaired.length} objects repaired, ${left.length} damaged\n`,
        );
      }
    }
    return left.length === 0 ? 0 : 1;
  },
});
