using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Bench;

/// <summary>The floor of every store: rows of two columns into SQLite, a statement each, in batches, and nothing else.</summary>
internal static class BareLoop
{
    /// <summary>Inserts at least so many rows, in whole batches, into a new file.</summary>
    public static Run Measure(string path, long count, int batch)
    {
        using var table = new BareTable(path);
        var (meter, left) = (new RunMeter(), (count + batch - 1) / batch);
        return meter.Stop(table.Insert(batch, () => left-- == 0));
    }
}
