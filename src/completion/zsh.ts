import { branchesOf, type Flag, type Grammar, lastWord, namesWithValue, quoted, type Value } from './grammar.ts';

/** The completion script for zsh; a file `_score-batch` in a folder of `$fpath`, or sourced after `compinit`. */
export function zshScript(program: Grammar): string {
  const { commands, values, flags, words } = branchesOf(program, { completing, listing, naming });
  return `#compdef score-batch
# Completion of score-batch for zsh. Load it after compinit with: source <(score-batch completion zsh)
_score_batch_jobs() {
  local -a names
  names=(\${folder%/}/jobs/*.(yaml|yml)(N:t:r))
  compadd -a names
  _files
}
_score_batch() {
  local cur=\${(Q)words[CURRENT]} prev=\${words[CURRENT-1]} folder=. command='' next word
  local -a list
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${(Q)words[i]}
    next=\${(Q)words[i+1]}
    case $word in
      -C|--directory) folder=\${next/#\\~/$HOME} ;;
    esac
    case $word in
      ${namesWithValue(program, false).join('|')}) ((i++)); continue ;;
      ${namesWithValue(program, true).join('|')}) [[ $next != -* ]] && ((i++)); continue ;;
      -*) continue ;;
    esac
    next=\${command:+$command }$word
    case $next in
${commands}
    esac
  done
  case $cur in
    --*=*) prev=\${cur%%=*}; compset -P '*=' ;;
  esac
  case $prev in
${values}
  esac
  if [[ $cur == -* ]]; then
    case $command in
${flags}
    esac
    _describe -o flag list
    return
  fi
  case $command in
${words}
  esac
}
if [[ $funcstack[1] == _score_batch || $funcstack[1] == _score-batch ]]; then
  _score_batch "$@"
else
  compdef _score_batch score-batch
fi`;
}

function completing(value: Value): string {
  switch (value.kind) {
    case 'choice':
      return `compadd ${value.choices.map(quoted).join(' ')}; return`;
    case 'job':
      return '_score_batch_jobs; return';
    case 'file':
      return '_files; return';
    case 'folder':
      return '_files -/; return';
    case 'text':
      return '[[ $cur == -* ]] || return';
  }
}

function naming(commands: readonly Grammar[]): string {
  const list = commands.map((command) => entry(lastWord(command), command.description));
  return `list=(${list.join(' ')}); _describe command list`;
}

function listing(flags: readonly Flag[]): string {
  return `list=(${flags.flatMap(({ names, description }) => names.map((name) => entry(name, description))).join(' ')})`;
}

/** `name:description` in the format of `_describe`. */
function entry(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description.replaceAll(':', '\\:')}`);
}
