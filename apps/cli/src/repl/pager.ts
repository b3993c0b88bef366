/** Shows a text: as it is, or with `$PAGER` where it is longer than the terminal is high. */
import { spawn } from 'node:child_process';
import type { Caller } from '../caller.ts';
import { isTerminal } from '../output.ts';

export async function page(text: string, caller: Caller): Promise<void> {
  const { NIX_PAGER, PAGER = 'less -R' } = caller.environment;
  const program = NIX_PAGER ?? PAGER;
  const isShort = !isTerminal(1) || text.split('\n').length < (process.stdout.rows || 24);
  if (isShort || program === '' || program === 'cat' || !(await showWith(program, text)))
    caller.write(1, text);
}

/** False where there is no such program. */
function showWith(program: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', `exec ${program}`], { stdio: ['pipe', 'inherit', 'inherit'] });
    child.on('error', () => resolve(false));
    // 127: the shell has not found it.
    child.on('close', (code) => resolve(code !== 127));
    // Whoever leaves early has seen enough.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}
