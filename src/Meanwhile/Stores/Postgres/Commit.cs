using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>
/// Commits batches. All statements of one go to the server together, and without a BEGIN they are one transaction, which ends with that round trip.
/// </summary>
internal sealed class Commit
{
    private const int Portion = 50_000;

    private const string FindKnown = """
        SELECT place::int - 1 FROM (
          SELECT s, i, place, row_number() OVER (PARTITION BY s, i ORDER BY place) AS occurrence
          FROM unnest($1, $2) WITH ORDINALITY AS given (s, i, place) WHERE i <> '') AS given
        LEFT JOIN LATERAL (SELECT true AS found FROM messages WHERE series = s AND identity = i LIMIT 1) AS earlier ON true
        WHERE occurrence > 1 OR found ORDER BY place
        """;

    private const string InsertReadings = """
        INSERT INTO messages (number, epochtime, series, arrival, identity)
        SELECT number, epochtime, series, $5 + place, NULLIF(identity, '') FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS given (number, epochtime, series, identity, place)
        """;

    private const string InsertReadingsWithoutIdentities = """
        INSERT INTO messages (number, epochtime, series, arrival)
        SELECT number, epochtime, series, $4 + place FROM unnest($1, $2, $3) WITH ORDINALITY AS given (number, epochtime, series, place)
        """;

    private static readonly string DeletePortion = $"""
        WITH deleted AS (DELETE FROM messages WHERE ctid = ANY (ARRAY (
          SELECT ctid FROM messages WHERE epochtime >= $1 AND epochtime < $2 ORDER BY epochtime LIMIT {Portion})) RETURNING epochtime)
        SELECT COUNT(*), MAX(epochtime) FROM deleted
        """;

    private readonly BatchColumns _columns = new();

    /// <summary>
    /// Deletes what became too old while we were away, in portions, each small enough not to keep a commit waiting. What is too old cannot come back, so
    /// this needs no place in a batch's transaction.
    /// </summary>
    public static async Task ExpireBacklogAsync(OwnedDatabase database, long cutoff, CancellationToken cancellationToken)
    {
        if (database.Floor > long.MinValue)
            return;
        var (count, newest) = ((long)Portion, double.MinValue);
        while (count == Portion)
        {
            await using var delete = new NpgsqlCommand(DeletePortion, database.Connection)
            {
                Parameters = { Of(newest), Of(EpochTime.Seconds(cutoff)) },
            };
            await using var deleted = await delete.ExecuteReaderAsync(cancellationToken);
            await deleted.ReadAsync(cancellationToken);
            (count, newest) = (deleted.GetInt64(0), deleted.IsDBNull(1) ? newest : deleted.GetDouble(1));
        }
        database.Floor = cutoff;
    }

    /// <summary>Commits a batch.</summary>
    /// <param name="prepared">Told what will have been done if the server commits, before it can.</param>
    public async Task<CommitOutcome> RunAsync(
        OwnedDatabase database, Batch batch, Cutoff cutoff, Action<CommitOutcome> prepared, CancellationToken cancellationToken)
    {
        await using var transaction = new NpgsqlBatch(database.Connection);
        _columns.Fill(batch.Readings, database.Series);
        var known = _columns.HasIdentities ? await FindKnownAsync(database.Connection, cancellationToken) : [];
        var arrivals = database.Arrivals;
        var dropped = WriteQuarantine(transaction, database.Quarantine, batch, arrivals, cutoff.Quarantined);
        arrivals += batch.Quarantined.Count;
        database.Sessions.Change(batch, transaction);
        var isEmpty = batch.Readings.Count == known.Count && transaction.BatchCommands.Count == 0;
        var outcome = new CommitOutcome(database.Commits + (isEmpty ? 0 : 1), new CommitReport(known.Count, dropped), known);

        _columns.TakeOut(outcome);
        WriteReadings(transaction, arrivals);
        arrivals += batch.Readings.Count;
        var floor = Expire(transaction, Math.Min(database.Floor, _columns.Oldest), cutoff.Readings);
        if (database.Series.Prune(cutoff.Readings) is { Count: > 0 } pruned)
            Add(transaction, "DELETE FROM series WHERE id = ANY ($1)", Of(pruned));
        if (!isEmpty)
            Add(transaction, "UPDATE meanwhile SET commits = $1, arrivals = $2", Of(outcome.Number), Of(arrivals));

        prepared(outcome);
        if (transaction.BatchCommands.Count > 0)
            await transaction.ExecuteNonQueryAsync(cancellationToken);
        (database.Commits, database.Arrivals, database.Floor) = (outcome.Number, arrivals, floor);
        return outcome;
    }

    private async Task<List<int>> FindKnownAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var find = new NpgsqlCommand(FindKnown, connection) { Parameters = { Of(_columns.Series), Of(_columns.Identities) } };
        await using var rows = await find.ExecuteReaderAsync(cancellationToken);
        List<int> known = [];
        while (await rows.ReadAsync(cancellationToken))
            known.Add(rows.GetInt32(0));
        return known;
    }

    private void WriteReadings(NpgsqlBatch transaction, long arrivals)
    {
        if (_columns.NewTopics.Count > 0)
            Add(transaction, "INSERT INTO series (id, topic) SELECT * FROM unnest($1, $2)", Of(_columns.NewSeries), Of(_columns.NewTopics));
        if (_columns.Numbers.Count == 0)
            return;
        if (_columns.HasIdentities)
            Add(transaction, InsertReadings, Of(_columns.Numbers), Of(_columns.Times), Of(_columns.Series), Of(_columns.Identities), Of(arrivals));
        else
            Add(transaction, InsertReadingsWithoutIdentities, Of(_columns.Numbers), Of(_columns.Times), Of(_columns.Series), Of(arrivals));
    }

    private static int WriteQuarantine(NpgsqlBatch transaction, QuarantineIndex index, Batch batch, long arrivals, long cutoff)
    {
        index.Take(batch.TakenFromQuarantine);
        foreach (var (arrived, topic, payload, reason) in batch.Quarantined)
        {
            index.Add(new(++arrivals, arrived, payload.Length));
            Add(transaction, "INSERT INTO quarantine VALUES ($1, $2, $3, $4, $5)", Of(arrivals), Of(EpochTime.Seconds(arrived)), Of(PostgresText.Of(topic)), Of(payload), Of(PostgresText.Of(reason)));
        }
        var dropped = index.Trim(cutoff);
        List<long> leaving = [.. batch.TakenFromQuarantine, .. dropped];
        if (leaving.Count > 0)
            Add(transaction, "DELETE FROM quarantine WHERE id = ANY ($1)", Of(leaving));
        return dropped.Count;
    }

    // From the floor on, not from the index's start: what was deleted there is passed by one by one until the server has cleaned up.
    private static long Expire(NpgsqlBatch transaction, long floor, long cutoff)
    {
        if (cutoff <= floor)
            return floor;
        Add(transaction, "DELETE FROM messages WHERE epochtime >= $1 AND epochtime < $2", Of(EpochTime.Seconds(floor)), Of(EpochTime.Seconds(cutoff)));
        return cutoff;
    }

    private static void Add(NpgsqlBatch transaction, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        transaction.BatchCommands.Add(command);
    }

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };
}
