using System.CommandLine;
using System.Globalization;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Stores.Sqlite;

namespace Meanwhile.Verbs;

/// <summary>Shows and ends the sessions that a broker keeps, also while it runs.</summary>
internal static class SessionsVerb
{
    private static readonly Argument<string> ClientId = new("ID") { Description = "the client identifier, as list shows it" };

    /// <summary>The verb.</summary>
    /// <param name="database">The file of the broker.</param>
    public static Command Command(Setting<string> database)
    {
        var end = VerbContext.Command("end", "end a session with all that waits in it, and disconnect its client; also while the broker runs", [database.Option], (context, stop) => EndAsync(context, context.Read(database)!, stop));
        end.Arguments.Add(ClientId);
        return new Command("sessions", "list or end the sessions that the broker keeps")
        {
            VerbContext.Command("list", "one line a session, the fullest queue first; also while the broker runs", [database.Option, ListFormat.AsJson.Option], (context, stop) => List(context, context.Read(database)!, stop)),
            end,
        };
    }

    private static Task List(VerbContext context, string path, CancellationToken stop)
    {
        var (asJson, sessions) = (context.Read(ListFormat.AsJson), KeptSessions.Read(path));
        context.Write(output =>
        {
            var width = sessions.Select(UserOf).Append("user").Max(user => user.Length);
            if (!asJson)
                output.Write($"{"user".PadRight(width)}  {"state",-29}  {"expiry",10}  {"messages",8}  {"bytes",10}  {"subscriptions",13}  client\n");
            foreach (var session in sessions)
            {
                stop.ThrowIfCancellationRequested();
                output.Write(asJson ? AsJson(session) : $"{UserOf(session).PadRight(width)}  {AsRow(session)}");
            }
        });
        return Task.CompletedTask;
    }

    private static string AsRow(KeptSession session) =>
        $"{(session.AwaySince is { } since ? $"away {Time(since)}" : "connected"),-29}  {session.Expiry + "s",10}  {session.Messages,8}  {session.Bytes,10}  {session.Subscriptions,13}  {PlainFormatter.OneLine(session.ClientId)}\n";

    private static string UserOf(KeptSession session) => session.User switch
    {
        null => "(unknown)",
        "" => "(no name)",
        var user => PlainFormatter.OneLine(user),
    };

    private static string AsJson(KeptSession session) =>
        $"{{\"client\": {ListFormat.Quote(session.ClientId)}, \"user\": {(session.User is null ? "null" : ListFormat.Quote(session.User))}, \"connected\": {(session.AwaySince is null ? "true" : "false")}, \"away_since\": {(session.AwaySince is { } since ? ListFormat.Quote(Time(since)) : "null")}, \"expiry\": {session.Expiry}, \"messages\": {session.Messages}, \"bytes\": {session.Bytes}, \"subscriptions\": {session.Subscriptions}}}\n";

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static async Task EndAsync(VerbContext context, string path, CancellationToken stop)
    {
        var clientId = context.CommandLine.GetValue(ClientId)!;
        if (!await KeptSessions.EndAsync(path, clientId, context.Logger, context.Time, stop))
            throw new UserException($"{path}: there is no session of '{PlainFormatter.OneLine(clientId)}': expected a client identifier that meanwhile broker sessions list shows");
        Log.SessionEnded(context.Logger, clientId);
    }
}
