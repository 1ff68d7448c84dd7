using Meanwhile.Stores.Sqlite;

namespace Meanwhile.Bench;

/// <summary>The floor of every store: rows of two columns into SQLite, a statement each, in batches, and nothing else.</summary>
internal static class BareLoop
{
    /// <summary>Inserts so many rows into a new file.</summary>
    public static Run Measure(string path, long count, int batch)
    {
        using var database = new Database(path);
        database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE messages (number NUMERIC, epochtime NUMERIC)");
        var insert = database.Prepare("INSERT INTO messages VALUES (?, ?)");
        var meter = new RunMeter();
        for (var i = 0L; i < count; i += batch)
        {
            database.Transact((insert, i, Rows: Math.Min(batch, count - i)), static work =>
            {
                for (var j = 0; j < work.Rows; j++)
                    work.insert.Bind(1, (double)(10 + (j % 90))).Bind(2, 1_700_000_000 + ((work.i + j) / 1000)).Run();
            });
        }
        return meter.Stop(count);
    }
}
