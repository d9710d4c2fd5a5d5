import { allGrammars, type Flag, type Grammar, namesWithValue } from './grammar.ts';

/** The completion script for fish 3 and newer. */
export function fishScript(program: Grammar): string {
  const leaves = allGrammars(program).filter(({ name }) => name !== '');
  const own = leaves.flatMap(({ name, options }) =>
    // `run` is the default command, so its flags are also valid without its name.
    options.map((flag) => flagLine(flag, name === 'run' ? `__score_batch_at '' run` : `__score_batch_at ${quoted(name)}`)),
  );
  const commands = allGrammars(program).flatMap((parent) =>
    parent.commands.map(
      ({ name, description }) =>
        `${COMPLETE} -n ${quoted(`__score_batch_at ${quoted(parent.name)}`)} -a ${quoted(name.split(' ').at(-1) ?? '')} -d ${quoted(description)}`,
    ),
  );
  const values = leaves.flatMap(({ name, values: [value] }) => {
    const at = `${COMPLETE} -n ${quoted(`__score_batch_at ${quoted(name)}`)}`;
    switch (value?.kind) {
      case 'choice':
        return [`${at} -a ${quoted(value.choices.join(' '))}`];
      case 'file':
        return [`${at} -F`];
      case 'folder':
        return [`${at} -a '(__fish_complete_directories)'`];
      default:
        return [];
    }
  });
  return `# Completion of score-batch for fish. Load it with: score-batch completion fish | source
function __score_batch_command
  set -l command ''
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    if test $skip = 2
      set skip 0
      string match -q -- '-*' $word; or continue
    end
    switch $word
      case ${namesWithValue(program, false).join(' ')}
        set skip 1
      case ${namesWithValue(program, true).join(' ')}
        set skip 2
      case '-*'
      case '*'
        set -l next (string trim -- "$command $word")
        contains -- "$next" ${leaves.map(({ name }) => quoted(name)).join(' ')}; and set command $next
    end
  end
  echo $command
end
function __score_batch_at
  contains -- (__score_batch_command) $argv
end
function __score_batch_jobs
  set -l folder .
  set -l words (commandline -opc)
  for i in (seq (count $words))
    contains -- $words[$i] -C --directory; and set folder $words[(math $i + 1)]
  end
  for file in $folder/jobs/*.yaml $folder/jobs/*.yml
    string replace -r '\\.ya?ml$' '' -- (string split / -- $file)[-1]
  end
end
${COMPLETE} -f
${[...program.options.map((flag) => flagLine(flag, undefined)), ...own, ...commands, ...values].join('\n')}`;
}

const COMPLETE = 'complete -c score-batch';

function flagLine({ names, description, value, optional }: Flag, condition: string | undefined): string {
  const spelled = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const when = condition === undefined ? [] : [`-n ${quoted(condition)}`];
  // Do not require an optional value.
  const takes = value === undefined || optional ? [] : [TAKES[value.kind === 'choice' ? 'text' : value.kind]];
  const choices = value?.kind === 'choice' ? [`-a ${quoted(value.choices.join(' '))}`] : [];
  return [COMPLETE, ...when, ...spelled, ...takes, ...choices, `-d ${quoted(description)}`].join(' ');
}

const TAKES = {
  job: `-r -F -a '(__score_batch_jobs)'`,
  file: '-r -F',
  folder: `-x -a '(__fish_complete_directories)'`,
  text: '-x',
};

/** A string in single quotes for fish. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
