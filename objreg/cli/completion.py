"""``objreg completion``."""

import click
from click.shell_completion import BashComplete, add_completion_class, get_completion_class

from objreg.cli.help import Command
from objreg.cli.invocation import Invocation, json_option

__all__ = ["command"]

# Bash cuts words at ":", "@" and "=", which are parts of a spec. So the line is cut at blanks here, and what stands
# before the last such sign is taken off each answer, because Bash replaces only what follows it.
_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} current="" fixed="" kept type value response words
    IFS=$' \t' read -ra words <<< "$line"
    local count=$(( ${#words[@]} - 1 ))
    if [[ $line == *[[:blank:]] ]]; then
        count=$(( count + 1 ))
    else
        current=${words[count]}
    fi
    kept=${current##*[:@=]}
    fixed=${current%%"$kept"}
    response=$(env COMP_WORDS="$line" COMP_CWORD=$count %(complete_var)s=bash_complete "$1")
    for completion in $response; do
        IFS=',' read type value <<< "$completion"
        if [[ $type == 'dir' ]]; then
            COMPREPLY=()
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("${value#"$fixed"}")
        fi
    done
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    source_template = _BASH


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
@click.pass_obj
def command(invocation: Invocation, shell: str) -> None:
    """Print a script that completes names in a shell.

    Namespaces, models, versions and states are asked of the registry, for two seconds at most.

    Examples:
      eval "$(objreg completion bash)"
      objreg completion zsh > ~/.zfunc/_objreg
      objreg completion fish > ~/.config/fish/completions/objreg.fish
    """
    from objreg.cli.program import program

    add_completion_class(_Bash)
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(program, {}, "objreg", "_OBJREG_COMPLETE").source()
    if invocation.json:
        invocation.output.result({"shell": shell, "script": script})
    else:
        click.echo(script)
