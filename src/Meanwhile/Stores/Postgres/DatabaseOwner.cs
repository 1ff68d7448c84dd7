using System.Security.Cryptography;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>
/// Who writes to a database: one process at a time. A lock of the server's says so, which lives as long as the connection that took it. Whoever
/// holds it knows that no transaction of an earlier connection is under way any more.
/// </summary>
internal sealed class DatabaseOwner(PostgresAddress address)
{
    private const int LongestName = 63; // The server cuts the name of a session there, and keeps ASCII only.
    private const string Prefix = "meanwhile ";

    // A key of our own, and the schema, so that two schemas of a database can have two owners.
    private const string ThisSchema = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())";
    private const string Lock = $"SELECT pg_advisory_lock(1835364456::bigint << 32 | {ThisSchema}::bigint)";
    private const string FindHolder = $"""
        SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND classid = 1835364456 AND objid = {ThisSchema} AND objsubid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    /// <summary>Tells this owner from all others, in the list of the server's sessions as well.</summary>
    public string Name { get; } = Cut($"{Prefix}{RandomNumberGenerator.GetHexString(8, lowercase: true)}: process {Environment.ProcessId} on {Environment.MachineName}");

    /// <summary>Takes the lock for a connection; waits for a moment, as the session of a process that was killed may outlive it by that.</summary>
    /// <exception cref="UserException">Another owner holds it; the message says who.</exception>
    /// <exception cref="StoreException">An earlier connection of this owner holds it.</exception>
    public async Task TakeLockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand(Lock, connection);
        try
        {
            await take.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            if (await FindHolderAsync(connection, cancellationToken) is not var (process, holder))
                throw new StoreException($"{address}: somebody else held it a moment ago", mayHeal: true);
            if (holder != Name)
                throw new UserException($"{address} is in use by another aggregator ({Describe(holder)}): stop that one, or give this one a DB_FILE of its own", inner: e);

            // The server has not noticed that we are gone from there. Its end may have to be waited for: what it was committing is then known.
            await EndSessionAsync(connection, process, cancellationToken);
            throw new StoreException($"{address}: the server still holds our lost connection", mayHeal: true);
        }
    }

    /// <summary>An owner's name for a person.</summary>
    public static string Describe(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && name.Split(": ", 2) is [_, var who] ? who : $"session '{name}'";

    private static async Task EndSessionAsync(NpgsqlConnection connection, int process, CancellationToken cancellationToken)
    {
        await using var end = new NpgsqlCommand("SELECT pg_terminate_backend($1)", connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = process } } };
        await end.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<(int Process, string Name)?> FindHolderAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand(FindHolder, connection);
        await using var holder = await find.ExecuteReaderAsync(cancellationToken);
        return await holder.ReadAsync(cancellationToken) ? (holder.GetInt32(0), holder.GetString(1)) : null;
    }

    private static string Cut(string name) => string.Concat(name.Take(LongestName).Select(c => char.IsAscii(c) ? c : '?'));
}
