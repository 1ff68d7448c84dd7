using System.CommandLine;

namespace Meanwhile.Verbs;

/// <summary>Scripts by which a shell completes verbs, options and values. They ask this program, so they know what it knows.</summary>
internal static class CompletionVerb
{
    // Where nothing is suggested, as after --db, files are.
    private const string Bash = """
        _meanwhile() {
            mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]/#\~/$HOME}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -o default -F _meanwhile meanwhile
        """;

    private const string Zsh = """
        #compdef meanwhile
        _meanwhile() {
            local line="${(j: :)words[1,CURRENT]}"
            local -a found
            found=(${(f)"$(${(e)~words[1]} "[suggest:${#line}]" "$line" 2> /dev/null)"})
            if (( ${#found} )); then compadd -a found; else _files; fi
        }
        if [ "$funcstack[1]" = "_meanwhile" ]; then _meanwhile "$@"; else compdef _meanwhile meanwhile; fi
        """;

    private const string Fish = """
        function __meanwhile_suggest
            set -l words (commandline -op)
            set -l line (commandline -cp)
            $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2> /dev/null | string match -r '.+'
        end
        complete -c meanwhile -f -a '(__meanwhile_suggest)'
        complete -c meanwhile -F -n 'not count (__meanwhile_suggest) > /dev/null'
        """;

    private static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal) { ["bash"] = Bash, ["zsh"] = Zsh, ["fish"] = Fish };

    private static readonly Argument<string> Shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" }.AcceptOnlyFromAmong([.. Scripts.Keys]);

    public static Command Command()
    {
        var command = VerbContext.Command("completion", "print a script that completes this program's command lines in a shell", [], RunAsync);
        command.Arguments.Add(Shell);
        return command;
    }

    private static Task RunAsync(VerbContext context, CancellationToken stop)
    {
        context.Write(output => output.Write(Scripts[context.CommandLine.GetValue(Shell)!] + "\n"));
        return Task.CompletedTask;
    }
}
