/**
 * The scripts for shells. All that they know is how a shell says what is written and hears what it could become; the rest is
 * asked of `neve complete` (`run-complete.ts`).
 */
const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

export function isShell(text: string): text is Shell {
  return (shells as readonly string[]).includes(text);
}

export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell];
}

/** Bash breaks words at `=` and `:` too, and puts what it is given behind the last of them; 3.2 and later. */
const bash = `# Completion of neve for bash; made by: neve completion bash
_neve() {
  local rest=\${COMP_LINE:0:COMP_POINT} word before i line directive program=\${COMP_WORDS[0]/#\\~/$HOME}
  local words=()
  # What stands together is one word.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    before=\${rest%%[![:space:]]*}
    rest=\${rest#"$before"}
    if ((i == COMP_CWORD)); then word=$rest; fi
    rest=\${rest#"$word"}
    if ((i > 0)) && [[ -z $before ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words[\${#words[@]}]=$word
    fi
  done
  local current=\${words[\${#words[@]} - 1]} kept=
  case $current in
    *[=:]*) [[ $COMP_WORDBREAKS == *[=:]* ]] && kept=\${current%"\${current##*[=:]}"} ;;
  esac
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $directive ]]; then
      directive=$line
    else
      line=\${line%%$'\\t'*}
      COMPREPLY[\${#COMPREPLY[@]}]=\${line#"$kept"}
    fi
  done < <("$program" complete --quoted -- "\${words[@]:1}" 2>/dev/null)
  case $directive in
    files*) word=f ;;
    directories*) word=d ;;
    *) word= ;;
  esac
  if [[ -n $word ]]; then
    type compopt &>/dev/null && compopt -o filenames
    current=\${current#"$kept"}
    while IFS= read -r line; do
      COMPREPLY[\${#COMPREPLY[@]}]=$line
    done < <(compgen -$word -- "\${current/#\\~/$HOME}")
  fi
  if [[ $directive == *open ]]; then
    type compopt &>/dev/null && compopt -o nospace
  fi
  return 0
}
complete -F _neve neve
`;

const zsh = `#compdef neve
# Completion of neve for zsh; made by: neve completion zsh
_neve() {
  local -a lines described space
  local line text directive
  lines=("\${(@f)$("\${(Q)words[1]/#\\~/$HOME}" complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  directive=$lines[1]
  shift lines
  for line in $lines; do
    text=\${line%%$'\\t'*}
    described+=("\${text//:/\\\\:}:\${line#*$'\\t'}")
  done
  [[ $directive == *open ]] && space=(-S '')
  local found=1
  (( $#described )) && _describe -t neve neve described $space && found=0
  if [[ $directive == files* || $directive == directories* ]]; then
    compset -P '--[^=]#='
    if [[ $directive == files* ]]; then _files && found=0; else _files -/ && found=0; fi
  fi
  return $found
}
if [[ $funcstack[1] == _neve ]]; then _neve "$@"; else compdef _neve neve; fi
`;

const fish = `# Completion of neve for fish; made by: neve completion fish
function __neve_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
    set -l prefix (string match -r -- '^--[^=]+=' "$current")
    set -l path (string replace -- "$prefix" '' "$current")
    switch "$lines[1]"
        case 'files*'
            __fish_complete_path "$path" | string replace -r '^' -- "$prefix"
        case 'directories*'
            __fish_complete_directories "$path" | string replace -r '^' -- "$prefix"
    end
    printf '%s\\n' $lines[2..-1]
end
complete -c neve -f -a '(__neve_complete)'
`;
