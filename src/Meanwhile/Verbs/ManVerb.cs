using System.CommandLine;

namespace Meanwhile.Verbs;

/// <summary>The man page.</summary>
internal static class ManVerb
{
    public static Command Command() => Session.Command("man", "print the man page: meanwhile man | man -l -", [], RunAsync);

    private static Task RunAsync(Session session, CancellationToken stop)
    {
        session.Write(output => output.Write(ManPage.Write(session.CommandLine.RootCommandResult.Command, typeof(ManVerb).Assembly.GetName().Version!.ToString(3))));
        return Task.CompletedTask;
    }
}
