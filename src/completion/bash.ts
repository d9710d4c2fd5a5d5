import { branchesOf, type Flag, type Grammar, lastWord, namesWithValue, quoted, type Value } from './grammar.ts';

/**
 * The completion script for bash 4 and newer. It needs no other package. Job names come from the shell's glob, never from
 * `compgen -W`, which would execute code in file names.
 */
export function bashScript(program: Grammar): string {
  const { commands, values, flags, words } = branchesOf(program, { completing, listing, naming });
  return `# Completion of score-batch for bash. Load it with: source <(score-batch completion bash)
_score_batch_add() {
  local name
  for name in "$@"; do [[ $name == "$cur"* ]] && COMPREPLY+=("$name"); done
}
_score_batch_files() {
  compopt -o filenames 2>/dev/null
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$cur")
}
_score_batch_jobs() {
  local file name
  _score_batch_files -f
  for file in "\${folder%/}"/jobs/*.yaml "\${folder%/}"/jobs/*.yml; do
    [[ -e $file ]] || continue
    name=\${file##*/}
    _score_batch_add "\${name%.*}"
  done
}
_score_batch() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} folder=. command='' next word list i
  COMPREPLY=()
  # bash splits --flag=value into three words.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    next=\${COMP_WORDS[i+1]}
    case $word in
      -C|--directory) folder=$next; [[ $next == '=' ]] && folder=\${COMP_WORDS[i+2]} ;;
    esac
    case $word in
      ${namesWithValue(program, false).join('|')}) [[ $next == '=' ]] && ((i++)); ((i++)); continue ;;
      ${namesWithValue(program, true).join('|')})
        [[ $next == '=' ]] && ((i++))
        [[ \${COMP_WORDS[i+1]} != -* ]] && ((i++))
        continue ;;
      -*|=) continue ;;
    esac
    next=\${command:+$command }$word
    case $next in
${commands}
    esac
  done
  folder=\${folder/#\\~/$HOME}
  case $prev in
${values}
  esac
  if [[ $cur == -* ]]; then
    case $command in
${flags}
    esac
    read -ra list <<<"$list"
    _score_batch_add "\${list[@]}"
    return
  fi
  case $command in
${words}
  esac
}
complete -F _score_batch score-batch`;
}

/** Code that completes the value of a flag. An optional value counts as text, which leaves the next word open. */
function completing(value: Value): string {
  switch (value.kind) {
    case 'choice':
      return `_score_batch_add ${value.choices.map(quoted).join(' ')}; return`;
    case 'job':
      return '_score_batch_jobs; return';
    case 'file':
      return '_score_batch_files -f; return';
    case 'folder':
      return '_score_batch_files -d; return';
    case 'text':
      return '[[ $cur == -* ]] || return';
  }
}

function listing(flags: readonly Flag[]): string {
  const names = new Set(flags.flatMap(({ names }) => names));
  return `list=${quoted([...names].join(' '))}`;
}

function naming(commands: readonly Grammar[]): string {
  return `_score_batch_add ${commands.map((command) => quoted(lastWord(command))).join(' ')}`;
}
