using Meanwhile.Mqtt.Wire;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>Reads the tables, row by row: no more than a few of them are in memory at a time.</summary>
internal sealed class RowReader(NpgsqlConnection connection, PostgresAddress address, string filter, CancellationToken stop)
{
    private readonly string? _unnamedSeries = LeftOut.UnnamedSeriesOf(filter);

    /// <summary>Told to stop, it waits no longer for an answer: the connection is still in use, and cannot be closed.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>Readings in the order of their times, and in that of their arrival where times are equal.</summary>
    public IEnumerable<Reading> ReadReadings(long from, long to)
    {
        var topics = Query("SELECT id, topic FROM series", row => (Id: row.GetInt32(0), Topic: row.GetString(1)))
            .ToDictionary(series => series.Id, series => Topic.FaultOf(series.Topic) is null ? series.Topic : null);
        return Query(
            "SELECT number, epochtime, series FROM messages WHERE epochtime BETWEEN $1 AND $2 ORDER BY epochtime, arrival",
            row => new Reading(topics.GetValueOrDefault(row.GetInt32(2), _unnamedSeries)!, EpochTime.Milliseconds(row.GetDouble(1)), row.GetDouble(0)),
            new NpgsqlParameter<double> { TypedValue = EpochTime.Seconds(from) },
            new NpgsqlParameter<double> { TypedValue = EpochTime.Seconds(to) }).Where(reading => reading.Series is not null);
    }

    /// <summary>What is left out of them, as its series has no name.</summary>
    public IEnumerable<LeftOut> FindLeftOut()
    {
        List<(long Id, string Fault)> faults = [.. Query("SELECT id, topic FROM series", row => (Id: row.GetInt32(0), Fault: Topic.FaultOf(row.GetString(1))))
            .Where(series => series.Fault is not null).Select(series => ((long)series.Id, series.Fault!))];
        var readings = faults.Count == 0 ? 0 : Query($"SELECT COUNT(*) FROM messages WHERE series IN ({string.Join(',', faults.Select(fault => fault.Id))})", row => row.GetInt64(0)).Single();
        return readings == 0 ? [] : [LeftOut.OfFaults(readings, faults)];
    }

    /// <summary>Messages that were no readings, oldest first or newest first.</summary>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst) => Query(
        $"SELECT id, arrived, topic, payload, reason FROM quarantine ORDER BY id {(newestFirst ? "DESC" : "ASC")}",
        row => new QuarantinedMessage(row.GetInt64(0), new RejectedMessage(EpochTime.Milliseconds(row.GetDouble(1)), row.GetString(2), row.GetFieldValue<byte[]>(3), row.GetString(4))));

    private IEnumerable<T> Query<T>(string sql, Func<NpgsqlDataReader, T> read, params NpgsqlParameter[] parameters)
    {
        using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        var rows = Wait(() => command.ExecuteReaderAsync(stop));
        try
        {
            while (Wait(() => rows.ReadAsync(stop)))
                yield return read(rows);
        }
        finally
        {
            if (!IsSilent)
                Wait(() => CloseAsync(rows));
        }
    }

    // Reads to the end of the answer, which may be the end of the connection; once told to stop, the server is asked to say no more.
    private async Task<bool> CloseAsync(NpgsqlDataReader rows)
    {
        try
        {
            while (stop.IsCancellationRequested && !rows.IsClosed && await rows.ReadAsync(stop))
            {
            }
        }
        catch (OperationCanceledException)
        {
        }
        await rows.DisposeAsync();
        return rows.IsClosed;
    }

    // Rows are read one by one by who has time for nothing else; but a server that is silent must not keep it from its end.
    private T Wait<T>(Func<Task<T>> work) => PostgresFailure.Guard(
        () =>
        {
            var answer = work();
            try
            {
                return CancellableWait.ForAsync(answer, stop).GetAwaiter().GetResult();
            }
            finally
            {
                IsSilent = !answer.IsCompleted;
            }
        },
        address);
}
