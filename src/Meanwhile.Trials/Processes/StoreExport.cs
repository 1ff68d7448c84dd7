using System.Globalization;

namespace Meanwhile.Trials.Processes;

/// <summary>A reading in a store.</summary>
/// <param name="Time">Milliseconds since the Unix epoch.</param>
internal readonly record struct StoredReading(string Topic, long Time, double Number);

/// <summary>Reads a store as users do, by <c>meanwhile export</c>, also while an aggregator is at work.</summary>
internal static class StoreExport
{
    /// <summary>Reads the readings whose topics begin with a text.</summary>
    /// <param name="program">The build of meanwhile that reads; null for this one.</param>
    /// <param name="prefix">Without characters that CSV quotes.</param>
    /// <param name="log">For what the process says.</param>
    /// <exception cref="TrialException">The store cannot be read.</exception>
    public static async Task ReadAsync(string? program, string database, string prefix, string log, Action<StoredReading> take, CancellationToken stop)
    {
        using var export = ChildProcess.StartMeanwhile(program, log, ["export", "--db", database, "--format", "csv"], ReadLinesAsync);
        if (await export.ExitAsync(stop) != 0)
            throw new TrialException($"the store cannot be read by export ({export.Ending})");

        async Task ReadLinesAsync(Stream output)
        {
            using var lines = new StreamReader(output);
            while (await lines.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith(prefix, StringComparison.Ordinal))
                    take(Parse(line));
            }
        }
    }

    private static StoredReading Parse(string line)
    {
        var fields = line.Split(',');
        return new StoredReading(fields[0], (long)(decimal.Parse(fields[2], CultureInfo.InvariantCulture) * 1000), double.Parse(fields[1], CultureInfo.InvariantCulture));
    }
}
