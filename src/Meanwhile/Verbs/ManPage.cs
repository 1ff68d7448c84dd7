using System.CommandLine;
using System.Text;

namespace Meanwhile.Verbs;

/// <summary>A man page, in the macros of man(7), from the same descriptions as the help.</summary>
internal static class ManPage
{
    /// <summary>Writes it.</summary>
    /// <param name="root">The program.</param>
    /// <param name="version">Its version.</param>
    public static string Write(Command root, string version)
    {
        var verbs = Visible(root).ToList();
        var common = verbs.Where(verb => verb.Action is not null).Select(verb => verb.Options.AsEnumerable()).Aggregate((some, others) => some.Intersect(others)).ToHashSet();
        var page = new StringBuilder($"""
            .TH MEANWHILE 1 "" "meanwhile {version}" "User Commands"
            .SH NAME
            meanwhile \- rolling statistics for MQTT
            .SH SYNOPSIS
            .B meanwhile
            .I VERB
            [options]
            .SH DESCRIPTION
            {Escape(root.Description!)}
            .SH VERBS

            """);
        foreach (var verb in verbs)
            WriteVerb(page, "meanwhile", verb, common);
        page.Append(".SH OPTIONS OF ALL VERBS\n");
        WriteOptions(page, common.Concat(root.Options));
        page.Append("""
            .SH SETTINGS
            The command line wins over the environment, the environment over the file
            .I .env
            in the working directory, and that over the default. Variables and defaults stand in brackets.
            .SH EXIT STATUS
            0 when it was asked to stop, 2 for a setting that cannot be understood, 1 for what went wrong.

            """);
        return page.ToString();
    }

    private static IEnumerable<Command> Visible(Command command) => command.Subcommands.Where(inner => !inner.Hidden);

    private static void WriteVerb(StringBuilder page, string path, Command verb, HashSet<Option> common)
    {
        var name = $"{path} {verb.Name}";
        var arguments = string.Concat(verb.Arguments.Select(argument => $" {(argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name)}"));
        page.Append($".SS {Escape(name + arguments)}\n{Escape(verb.Description!)}.\n");
        foreach (var argument in verb.Arguments.Where(argument => argument.Description is not null))
            page.Append($".TP\n.I {Escape(argument.Name)}\n{Escape(argument.Description!)}\n");
        WriteOptions(page, verb.Options.Where(option => !common.Contains(option)));
        foreach (var inner in Visible(verb))
            WriteVerb(page, name, inner, common);
    }

    private static void WriteOptions(StringBuilder page, IEnumerable<Option> options)
    {
        foreach (var option in options.Where(option => !option.Hidden))
            page.Append($".TP\n.BI {Escape(option.Name)}{(option.HelpName is { } value ? $" \" {Escape(value)}\"" : "")}\n{Escape(option.Description!)}\n");
    }

    // A backslash begins an escape, a hyphen would become a dash, and a dot or a quote at the beginning of a line begins a request.
    private static string Escape(string text)
    {
        var escaped = text.ReplaceLineEndings(" ").Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
