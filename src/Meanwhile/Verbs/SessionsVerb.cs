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
        var end = Session.Command("end", "end a session with all that waits in it, and disconnect its client; also while the broker runs", [database.Option], (session, stop) => EndAsync(session, session.Read(database)!, stop));
        end.Arguments.Add(ClientId);
        return new Command("sessions", "list or end the sessions that the broker keeps")
        {
            Session.Command("list", "one line a session, the fullest queue first; also while the broker runs", [database.Option, ListFormat.AsJson.Option], (session, stop) => List(session, session.Read(database)!, stop)),
            end,
        };
    }

    private static Task List(Session session, string path, CancellationToken stop)
    {
        var (asJson, sessions) = (session.Read(ListFormat.AsJson), KeptSessions.Read(path));
        session.Write(output =>
        {
            var width = sessions.Select(UserOf).Append("user").Max(user => user.Length);
            if (!asJson)
                output.Write($"{"user".PadRight(width)}  {"state",-29}  {"expiry",10}  {"messages",8}  {"bytes",10}  {"subscriptions",13}  client\n");
            foreach (var kept in sessions)
            {
                stop.ThrowIfCancellationRequested();
                output.Write(asJson ? AsJson(kept) : $"{UserOf(kept).PadRight(width)}  {AsRow(kept)}");
            }
        });
        return Task.CompletedTask;
    }

    private static string AsRow(KeptSession kept) =>
        $"{(kept.AwaySince is { } since ? $"away {Time(since)}" : "connected"),-29}  {kept.Expiry + "s",10}  {kept.Messages,8}  {kept.Bytes,10}  {kept.Subscriptions,13}  {PlainFormatter.OneLine(kept.ClientId)}\n";

    private static string UserOf(KeptSession kept) => kept.User switch
    {
        null => "(unknown)",
        "" => "(no name)",
        var user => PlainFormatter.OneLine(user),
    };

    private static string AsJson(KeptSession kept) =>
        $"{{\"client\": {ListFormat.Quote(kept.ClientId)}, \"user\": {(kept.User is null ? "null" : ListFormat.Quote(kept.User))}, \"connected\": {(kept.AwaySince is null ? "true" : "false")}, \"away_since\": {(kept.AwaySince is { } since ? ListFormat.Quote(Time(since)) : "null")}, \"expiry\": {kept.Expiry}, \"messages\": {kept.Messages}, \"bytes\": {kept.Bytes}, \"subscriptions\": {kept.Subscriptions}}}\n";

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static async Task EndAsync(Session session, string path, CancellationToken stop)
    {
        var clientId = session.CommandLine.GetValue(ClientId)!;
        if (!await KeptSessions.EndAsync(path, clientId, session.Logger, session.Time, stop))
            throw new UserException($"{path}: there is no session of '{PlainFormatter.OneLine(clientId)}': expected a client identifier that meanwhile broker sessions list shows");
        Log.SessionEnded(session.Logger, clientId);
    }
}
