using Meanwhile.Logging;
using Meanwhile.Stores.Postgres;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Stores;

/// <summary>Opens the store that a setting names.</summary>
internal static class Store
{
    /// <summary>Under this name the embedded broker's sessions are kept, wherever it listens: clients are the same ones at another address.</summary>
    public const string EmbeddedSessions = "embedded";

    /// <summary>A store's name for a person: without the password that may be in it.</summary>
    public static string Describe(string name) => PostgresAddress.Mask(name);

    /// <summary>The file of the embedded broker's own state that goes with a store: beside a file; with a server, where the plain broker has it.</summary>
    public static string BrokerFileOf(string name) => PostgresAddress.IsOne(name) ? BrokerFile.DefaultPath : PrivateFile.Resolve(name) + ".broker";

    /// <summary>Opens it for its owner, and keeps other owners away from it. Waits for a full disk to have room, or a server to answer.</summary>
    /// <exception cref="UserException">It cannot be used.</exception>
    public static Task<IStore> OpenAsync(string name, StoreOptions options, ILogger logger, TimeProvider time, CancellationToken stop) =>
        new StoreWait(logger, new LogLimiter(time), time).ForAsync(
            async () => Tell<IStore>(
                PostgresAddress.IsOne(name)
                    ? await PostgresStore.OpenAsync(PostgresAddress.Parse(name), options, logger, stop)
                    : SqliteStore.Open(name, options),
                found => Log.LeftOut(logger, Describe(name), found.Readings, found.Reason, "")),
            stop);

    /// <summary>Opens the file of the embedded broker's own state, in the same way.</summary>
    /// <exception cref="UserException">It cannot be used.</exception>
    public static Task<BrokerFile> OpenBrokerAsync(string path, ILogger logger, TimeProvider time, CancellationToken stop) =>
        new StoreWait(logger, new LogLimiter(time), time).ForAsync(() => ValueTask.FromResult(BrokerFile.Open(path, logger, time)), stop);

    /// <summary>Opens it for reading, as it is at this moment, also while its owner is at work. Makes nothing that is not there.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="unnamedSeries">The topic or filter of rows that the seed's program wrote, which name none.</param>
    /// <param name="leftOut">Told what is left out of the readings.</param>
    /// <exception cref="UserException">It is not there.</exception>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static IStoreReader OpenForReading(string name, string unnamedSeries, Action<LeftOut>? leftOut = null, CancellationToken stop = default) => Tell<IStoreReader>(
        PostgresAddress.IsOne(name) ? PostgresReader.Open(PostgresAddress.Parse(name), unnamedSeries, stop) : SqliteReader.Open(name, unnamedSeries), leftOut);

    private static T Tell<T>(T store, Action<LeftOut>? leftOut)
        where T : IStoreReader
    {
        try
        {
            if (leftOut is not null)
                store.FindLeftOut().ToList().ForEach(leftOut);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }
}

/// <summary>What a store has to know of its owner.</summary>
/// <param name="Session">The feed's session at its broker, or its embedded broker: identifiers of others are kept apart from its own.</param>
/// <param name="UnnamedSeries">The topic or filter of rows that the seed's program wrote, which name none.</param>
internal sealed record StoreOptions(string Session, string UnnamedSeries)
{
    /// <summary>The name under which a client's session is kept.</summary>
    /// <param name="client">As in <see cref="ClientIdChange"/>.</param>
    public string SessionOf(string client) => client.Length == 0 ? Session : $"{Session}/{client}";

    /// <summary>The client whose session has a name: one of ours.</summary>
    public string ClientOf(string session) => session.Length == Session.Length ? "" : session[(Session.Length + 1)..];

    /// <summary>How many messages the quarantine holds at most; the oldest go first.</summary>
    public long QuarantinedMessages { get; init; } = 100_000;

    /// <summary>How many bytes of payload the quarantine holds at most.</summary>
    public long QuarantinedBytes { get; init; } = 256 << 20;
}
