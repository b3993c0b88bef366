// Real shells that complete a line: bash, zsh and fish, each with the script that `neve completion` prints.
//
// A shell gives what it would offer, as whole words. Bash is given the words as it would split them itself, since it does that
// only at a terminal; zsh runs in a pseudo terminal of its own (zpty), where the key is pressed; fish can be asked.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';

/**
 * @typedef {(line: string) => Promise<readonly string[]>} Complete
 *
 * @typedef {object} Place
 * @property {string} work where the shells are
 * @property {string} home
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * A home directory with a program `neve` and the scripts.
 *
 * @param {string} folder
 * @param {string} script the `neve` to try
 * @returns {Promise<Place>}
 */
export async function makePlace(folder, script) {
  const home = join(folder, 'home');
  const work = join(folder, 'work');
  mkdirSync(join(home, 'bin'), { recursive: true });
  mkdirSync(work, { recursive: true });
  const program = join(home, 'bin/neve');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  chmodSync(program, 0o755);
  const { NODE_EXTRA_CA_CERTS: _certificates, NEVE_DAEMON: _daemon, ...inherited } = process.env;
  const env = {
    ...inherited,
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
    LC_ALL: 'C.UTF-8',
    TERM: 'xterm',
  };
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await runCommand([program, 'completion', shell], { env });
    assert.equal(code, 0, stderr);
    writeFileSync(join(home, `neve.${shell}`), stdout);
  }
  return { work, home, env };
}

/** @param {Place} place @returns {Complete} */
export function bash({ work, home, env }) {
  const program = `
    source "$HOME/neve.bash"
    compopt() { :; }
    COMP_LINE=$1
    COMP_POINT=\${#1}
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _neve
    kept=
    last=\${COMP_WORDS[COMP_CWORD]}
    # What readline keeps before a candidate.
    [[ $COMP_CWORD -gt 1 && \${COMP_WORDS[COMP_CWORD - 1]} == = ]] && kept=\${COMP_WORDS[COMP_CWORD - 2]}=
    ((\${#COMPREPLY[@]})) && printf -- "$kept%s\\n" "\${COMPREPLY[@]}"
    exit 0`;
  return async (line) => {
    const { code, stdout, stderr } = await runCommand(
      ['bash', '--norc', '-c', program, 'bash', line, ...bashWords(line)],
      { cwd: work, env: { ...env, HOME: home }, timeoutMs: 60_000 },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    return linesOf(stdout);
  };
}

/**
 * As readline splits a line: at blanks outside of quotes, and `=` and `:` are words.
 *
 * @param {string} line
 */
function bashWords(line) {
  const words = line.match(/[=:]|(?:'[^']*'?|"[^"]*"?|\\.|[^\s'"\\=:])+/gs) ?? [];
  return /\s$/.test(line) ? [...words, ''] : words;
}

/** @param {Place} place @returns {Complete} */
export function zsh({ work, home, env }) {
  const inside = `
    PS1= PROMPT_EOL_MARK=
    autoload -Uz compinit && compinit -u -d "$HOME/zcompdump"
    source "$HOME/neve.zsh"
    zstyle ':completion:*' list-prompt ''
    LISTMAX=0
    compadd() {
      [[ $* == *-[OAD]\\ * ]] && { builtin compadd "$@"; return }
      local -a hits
      builtin compadd -A hits "$@"
      (( $#hits )) && print -rl -- "$IPREFIX"$^hits >> "$HOME/zsh-hits"
      builtin compadd "$@"
    }
    finish() { print -r -- "$BUFFER" > "$HOME/zsh-done"; BUFFER=; zle accept-line }
    zle -N finish
    bindkey '^X' finish
    bindkey '^I' complete-word
    print ready > "$HOME/zsh-ready"
  `;
  const outside = `
    zmodload zsh/zpty zsh/zselect
    zpty -b shell zsh -f -i
    zpty -w shell 'source "$HOME/inside.zsh"'
    wait-for() {
      local count=0 output
      while [[ ! -e $1 ]] && (( count++ < 200 )); do zpty -rt shell output; zselect -t 5; done
      [[ -e $1 ]]
    }
    wait-for "$HOME/zsh-ready" || { print -u2 'zsh did not start'; exit 1 }
    zpty -wn shell "$1"$'\\t\\x18'
    wait-for "$HOME/zsh-done" || { print -u2 'zsh did not complete'; exit 1 }
    zpty -d shell`;
  writeFileSync(join(home, 'inside.zsh'), inside);
  return async (line) => {
    for (const name of ['zsh-hits', 'zsh-ready', 'zsh-done']) rmSync(join(home, name), { force: true });
    const { code, stderr } = await runCommand(['zsh', '-f', '-c', outside, 'zsh', line], {
      cwd: work,
      env,
      timeoutMs: 60_000,
    });
    assert.equal(code, 0, stderr);
    return linesOf(readIfThere(join(home, 'zsh-hits')));
  };
}

/** @param {Place} place @returns {Complete} */
export function fish({ work, env }) {
  return async (line) => {
    const { code, stdout, stderr } = await runCommand(
      ['fish', '--no-config', '-c', 'source $HOME/neve.fish; complete -C "$argv[1]"', line],
      { cwd: work, env, timeoutMs: 60_000 },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    return linesOf(stdout).map((it) => it.split('\t')[0] ?? '');
  };
}

/** @param {string} text */
function linesOf(text) {
  return [...new Set(text.split('\n').filter((line) => line !== ''))];
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
