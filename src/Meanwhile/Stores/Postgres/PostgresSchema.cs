using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>The tables, and the way to today's from those of an older version.</summary>
internal static class PostgresSchema
{
    private const int Version = 1;

    // No index holds a topic or a whole identity: either may be longer than what an index takes. As the owner knows every topic, none is needed.
    private const string Tables = """
        CREATE TABLE meanwhile (version int NOT NULL, owner text NOT NULL, commits bigint NOT NULL, arrivals bigint NOT NULL);
        CREATE TABLE series (id int PRIMARY KEY, topic text NOT NULL);
        CREATE TABLE messages (number float8 NOT NULL, epochtime float8 NOT NULL, series int NOT NULL, arrival bigint NOT NULL, identity bytea);
        CREATE INDEX messages_epochtime ON messages (epochtime);
        CREATE UNIQUE INDEX messages_identity ON messages (series, identity) WHERE identity IS NOT NULL;
        CREATE TABLE quarantine (id bigint PRIMARY KEY, arrived float8 NOT NULL, topic text NOT NULL, payload bytea NOT NULL, reason text NOT NULL);
        CREATE TABLE sessions (name text PRIMARY KEY, subscription text, received_ids int[] NOT NULL);
        INSERT INTO meanwhile VALUES (1, '', 0, 0);
        """;

    /// <summary>Brings a database up to date.</summary>
    /// <exception cref="StoreException">It was written by a newer version.</exception>
    public static async Task PrepareAsync(NpgsqlConnection connection, PostgresAddress address, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand("SELECT to_regclass('meanwhile') IS NOT NULL", connection);
        if (await find.ExecuteScalarAsync(cancellationToken) is false)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var create = new NpgsqlCommand(Tables, connection, transaction);
            await create.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return;
        }
        await using var read = new NpgsqlCommand("SELECT version FROM meanwhile", connection);
        if (await read.ExecuteScalarAsync(cancellationToken) is > Version)
            throw new StoreException($"{address} was written by a newer version of meanwhile: expected a schema of at most {Version}", mayHeal: false);
    }
}
