using Meanwhile.Mqtt.Wire;
using Npgsql;

namespace Meanwhile.Stores.Postgres;

/// <summary>Reads the tables, row by row: no more than a few of them are in memory at a time.</summary>
internal sealed class RowReader(NpgsqlConnection connection, PostgresAddress address, string filter)
{
    private readonly string? _unnamedSeries = LeftOut.UnnamedSeriesOf(filter);

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
        row => new QuarantinedMessage(row.GetInt64(0), new Quarantined(EpochTime.Milliseconds(row.GetDouble(1)), row.GetString(2), row.GetFieldValue<byte[]>(3), row.GetString(4))));

    private IEnumerable<T> Query<T>(string sql, Func<NpgsqlDataReader, T> read, params NpgsqlParameter[] parameters)
    {
        using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        var rows = PostgresFailure.Guard(() => command.ExecuteReader(), address);
        try
        {
            while (PostgresFailure.Guard(rows.Read, address))
                yield return read(rows);
        }
        finally
        {
            PostgresFailure.Guard(() => Close(rows), address);
        }
    }

    // Reads to the end of the answer, which may be the end of the connection.
    private static bool Close(NpgsqlDataReader rows)
    {
        rows.Dispose();
        return rows.IsClosed;
    }
}
