using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Stores.Sqlite;

/// <summary>A session in a broker's file.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="AwaySince">When its client went; null while it is here, or was when the broker was killed.</param>
/// <param name="Expiry">How long the session waits for it, in seconds.</param>
/// <param name="Messages">That wait for it or for its answer.</param>
/// <param name="Bytes">The memory they take, as the broker's limit counts it.</param>
/// <param name="Subscriptions">How many it has.</param>
/// <param name="User">The user who owns it; empty for a client without a name, null if nobody knows.</param>
internal sealed record KeptSession(string ClientId, DateTimeOffset? AwaySince, uint Expiry, long Messages, long Bytes, long Subscriptions, string? User);

/// <summary>The sessions in a broker's file, which a broker may hold meanwhile.</summary>
internal static class KeptSessions
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>All of them, those with most messages first.</summary>
    /// <exception cref="UserException">The file is not there.</exception>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static IReadOnlyList<KeptSession> Read(string path)
    {
        RequireFile(path);
        using var database = new Database(path, forReading: true);
        BrokerTables.CheckIsOurs(database, path);
        var rows = database.Prepare($"""
            SELECT client, expires, expiry, COALESCE(messages, 0), COALESCE(bytes, 0), (SELECT COUNT(*) FROM subscriptions WHERE subscriptions.client = sessions.client), user FROM sessions
            LEFT JOIN (SELECT client AS owner, COUNT(*) AS messages, SUM({Message.Overhead} + LENGTH(topic) + LENGTH(payload) + LENGTH(properties)) AS bytes FROM queue GROUP BY client) ON owner = client
            ORDER BY 4 DESC, client
            """);
        var sessions = new List<KeptSession>();
        while (rows.Step())
        {
            var expiry = (uint)rows.Integer(2);
            DateTimeOffset? awaySince = rows.IsNull(1) ? null : DateTimeOffset.FromUnixTimeMilliseconds(rows.Integer(1) - (expiry * 1000L));
            sessions.Add(new KeptSession(rows.Text(0), awaySince, expiry, rows.Integer(3), rows.Integer(4), rows.Integer(5), rows.IsNull(6) ? null : rows.Text(6)));
        }
        return sessions;
    }

    /// <summary>Ends a session: in the file, or, where a broker holds that, by asking the broker.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="UserException">The file is not there, or the broker does not answer.</exception>
    /// <exception cref="StoreException">The file cannot be used.</exception>
    public static async Task<bool> EndAsync(string path, string clientId, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        path = PrivateFile.Resolve(path);
        var wasThere = Read(path).Any(session => session.ClientId == clientId);
        if (!FileLock.IsTaken(path))
            return await EndInFileAsync(path, clientId, logger, time, stop);
        using var requests = new SessionRequests(path);
        var until = time.GetUtcNow() + Patience;
        var request = requests.Ask(clientId, until.ToUnixTimeMilliseconds());
        try
        {
            while (requests.FindAnswer(request) is null && time.GetUtcNow() <= until)
            {
                if (!FileLock.IsTaken(path)) // The broker has gone meanwhile, and perhaps after it had ended the session.
                    return requests.FindAnswer(request) ?? (await EndInFileAsync(path, clientId, logger, time, stop) || wasThere);
                await Task.Delay(LookInterval, time, stop);
            }
            return requests.FindAnswer(request)
                ?? throw new UserException($"{path}: the broker that holds it has not answered within {Patience.TotalSeconds} s: see with meanwhile broker sessions list whether the session has ended, and try again");
        }
        finally
        {
            requests.TakeBack(request);
        }
    }

    private static async Task<bool> EndInFileAsync(string path, string clientId, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        using var file = BrokerFile.Open(path, logger, time);
        if (!Read(path).Any(session => session.ClientId == clientId))
            return false;
        await file.CommitAsync([new SessionEnded(clientId)], stop);
        return true;
    }

    private static void RequireFile(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path} does not exist: expected the file of a broker, which is FILE of meanwhile broker --db FILE, or DB_FILE.broker of an aggregator");
    }
}
