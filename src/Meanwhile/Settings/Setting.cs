using System.CommandLine;

namespace Meanwhile.Settings;

/// <summary>One setting: an option of the command line, perhaps a variable of the environment and of <c>.env</c>, perhaps a default.</summary>
/// <typeparam name="T">What its text is read as.</typeparam>
internal sealed class Setting<T>
{
    private readonly string? _variable;
    private readonly string? _defaultText;
    private readonly Func<string, T> _parse;

    /// <summary>Describes a setting.</summary>
    /// <param name="option">Such as <c>--broker</c>.</param>
    /// <param name="variable">Such as <c>BROKER</c>; null for none.</param>
    /// <param name="defaultText">Read like any other value; null for none.</param>
    /// <param name="helpName">What stands for the value in the help.</param>
    /// <param name="description">One line for the help.</param>
    /// <param name="parse">Reads a text; throws a <see cref="FormatException"/> that says what was expected.</param>
    public Setting(string option, string? variable, string? defaultText, string helpName, string description, Func<string, T> parse)
    {
        (_variable, _defaultText, _parse) = (variable, defaultText, parse);
        List<string> notes = [];
        if (variable is not null)
            notes.Add(variable);
        if (defaultText is not null)
            notes.Add($"default {defaultText}");
        Option = new Option<string?>(option)
        {
            HelpName = helpName,
            Description = notes.Count == 0 ? description : $"{description} [{string.Join(", ", notes)}]",
        };
        Option.CompletionSources.Clear();
        if (helpName.Contains('|', StringComparison.Ordinal))
            Option.CompletionSources.Add(helpName.Split('|'));
    }

    /// <summary>For the command that has it.</summary>
    public Option<string?> Option { get; }

    /// <summary>The option may stand without a value: the text is then empty.</summary>
    public bool MayBeBare
    {
        init => Option.Arity = value ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne;
    }

    /// <summary>Shows a value without the password that may be in it; null where none can be.</summary>
    public Func<string, string>? Mask { get; init; }

    /// <summary>The first that is set of the command line, the environment, <c>.env</c> and the default.</summary>
    /// <exception cref="UserException">It cannot be understood.</exception>
    public T? Read(ParseResult commandLine, SettingSources sources)
    {
        if (commandLine.GetResult(Option) is { Implicit: false })
        {
            var text = commandLine.GetValue(Option) ?? "";
            return Show(text) == text
                ? Parse(text, Option.Name, source: null)
                : throw new UserException($"{Option.Name}: a password on the command line can be read by everybody on this machine: expected it in {(_variable is null ? "" : _variable + ", ")}PGPASSWORD or ~/.pgpass (PGPASSFILE)", ExitCode.Usage);
        }
        if (_variable is not null && sources.Find(_variable) is { } found)
            return Parse(found.Value, _variable, found.Source);
        return _defaultText is null ? default : _parse(_defaultText);
    }

    private T Parse(string text, string name, string? source)
    {
        try
        {
            return _parse(text);
        }
        catch (FormatException e)
        {
            throw new UserException($"{name}{(source is null ? "" : $" in {source}")}: '{Show(text)}' cannot be understood: expected {e.Message}", ExitCode.Usage, e);
        }
    }

    private string Show(string text) => Mask?.Invoke(text) ?? text;
}
