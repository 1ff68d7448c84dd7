namespace Meanwhile.Mqtt.Bench;

/// <summary>Alternating runs, and what came out in the middle.</summary>
internal sealed class Report
{
    private readonly Dictionary<string, List<Result>> _results = new(StringComparer.Ordinal);

    /// <summary>Adds a run.</summary>
    public void Add(string contender, Result result)
    {
        if (!_results.TryGetValue(contender, out var results))
            _results.Add(contender, results = []);
        results.Add(result);
        Console.Error.Write('.');
    }

    /// <summary>Prints medians, and the median of the ratios to another one's runs of the same rounds.</summary>
    public void Print(string title, string beside)
    {
        Console.WriteLine($"{Environment.NewLine}{title}");
        var floor = _results[beside];
        foreach (var (contender, results) in _results)
        {
            var ratio = Median(results.Zip(floor, (result, other) => result.Rate / other.Rate));
            Console.WriteLine($"  {contender,-28} {Median(results.Select(r => r.Rate)),12:N0}/s  {Median(results.Select(r => r.Cost)),8:F2} µs CPU  {ratio,7:F2} × {beside}"
                + $"  (load {Median(results.Select(r => r.LoadCost)):F2} µs; {string.Join(' ', results.Select(r => r.Rate.ToString("N0")))})");
        }
    }

    /// <summary>The one in the middle.</summary>
    public static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
