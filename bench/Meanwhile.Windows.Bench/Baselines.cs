using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Microsoft.Data.Sqlite;

namespace Meanwhile.Windows.Bench;

/// <summary>What it costs to have one mean over the last minute otherwise, over the same readings, held in memory or in a table.</summary>
[SimpleJob(RunStrategy.Throughput, launchCount: 1, warmupCount: 1, iterationCount: 5, invocationCount: 4)]
#pragma warning disable CA1001 // Disposed of in its clean-up; a sealed or disposable class is no benchmark.
public class Baselines
#pragma warning restore CA1001
{
    private readonly List<(long TimeMs, double Value)> _held = [];
    private SqliteConnection _connection = null!;
    private SqliteCommand _average = null!;

    [Params(1_000, 100_000)]
    public int InWindow { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _connection = new SqliteConnection("Data Source=:memory:");
        _connection.Open();
        Execute("CREATE TABLE messages (number REAL, epochtime REAL)");
        Execute("BEGIN");
        using var insert = new SqliteCommand("INSERT INTO messages VALUES ($number, $time)", _connection);
        var number = insert.Parameters.Add("$number", SqliteType.Real);
        var epochtime = insert.Parameters.Add("$time", SqliteType.Real);
        var readings = new Readings(InWindow / 1800.0, 1000, 0);
        for (var i = 0; i < InWindow; i++)
        {
            var (time, value) = readings.Next();
            _held.Add((time, value));
            (number.Value, epochtime.Value) = (value, time / 1000.0);
            insert.ExecuteNonQuery();
        }
        Execute("COMMIT");
        _average = new SqliteCommand("SELECT AVG(number) FROM messages WHERE $now - epochtime <= 60", _connection);
        _average.Parameters.AddWithValue("$now", _held[^1].TimeMs / 1000.0);
    }

    [GlobalCleanup]
    public void Close()
    {
        _average.Dispose();
        _connection.Dispose();
    }

    [Benchmark]
    public double PlainRecalculation()
    {
        var (from, sum, count) = (_held[^1].TimeMs - 60_000, 0.0, 0);
        foreach (var (time, value) in _held)
        {
            if (time >= from)
                (sum, count) = (sum + value, count + 1);
        }
        return sum / count;
    }

    [Benchmark]
    public object? Sqlite() => _average.ExecuteScalar();

    private void Execute(string sql)
    {
        using var command = new SqliteCommand(sql, _connection);
        command.ExecuteNonQuery();
    }
}
