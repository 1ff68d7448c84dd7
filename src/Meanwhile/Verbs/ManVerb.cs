using System.CommandLine;

namespace Meanwhile.Verbs;

/// <summary>The man page.</summary>
internal static class ManVerb
{
    public static Command Command() => VerbContext.Command("man", "print the man page: meanwhile man | man -l -", [], RunAsync);

    private static Task RunAsync(VerbContext context, CancellationToken stop)
    {
        context.Write(output => output.Write(ManPage.Write(context.CommandLine.RootCommandResult.Command, typeof(ManVerb).Assembly.GetName().Version!.ToString(3))));
        return Task.CompletedTask;
    }
}
