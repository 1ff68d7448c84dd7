using Microsoft.Data.Sqlite;

namespace Meanwhile.Windows.Bench;

/// <summary>Readings in a table of SQLite, in memory.</summary>
internal sealed class SqliteReadings : IDisposable
{
    private readonly SqliteConnection _connection = new("Data Source=:memory:");
    private readonly SqliteCommand _average;

    public SqliteReadings(List<(long TimeMs, double Value)> readings, long newest)
    {
        _connection.Open();
        Execute("CREATE TABLE messages (number REAL, epochtime REAL)");
        Execute("BEGIN");
        using var insert = new SqliteCommand("INSERT INTO messages VALUES ($number, $time)", _connection);
        var number = insert.Parameters.Add("$number", SqliteType.Real);
        var epochtime = insert.Parameters.Add("$time", SqliteType.Real);
        foreach (var (time, value) in readings)
        {
            (number.Value, epochtime.Value) = (value, time / 1000.0);
            insert.ExecuteNonQuery();
        }
        Execute("COMMIT");
        _average = new SqliteCommand("SELECT AVG(number) FROM messages WHERE $now - epochtime <= 60", _connection);
        _average.Parameters.AddWithValue("$now", newest / 1000.0);
    }

    public object? MeanOfLastMinute() => _average.ExecuteScalar();

    public void Dispose()
    {
        _average.Dispose();
        _connection.Dispose();
    }

    private void Execute(string sql)
    {
        using var command = new SqliteCommand(sql, _connection);
        command.ExecuteNonQuery();
    }
}
