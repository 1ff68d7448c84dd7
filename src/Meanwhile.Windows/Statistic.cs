using System.Globalization;

namespace Meanwhile.Windows;

/// <summary>What can be computed over a window; <see cref="Summary.Value"/> says what each means.</summary>
public enum StatisticKind
{
    Count, Sum, Mean, Min, Max, First, Last, Range, Var, VarP, StdDev, StdDevP, Rate, Twa, Ewma, Quantile,
}

/// <summary>A statistic by name: <c>count sum avg min max first last range var varp stddev stddevp rate twa ewma</c>, and quantiles <c>pN</c>.</summary>
public readonly record struct Statistic
{
    // In the order of StatisticKind; a quantile has its number behind the name.
    private static readonly string[] Names =
        ["count", "sum", "avg", "min", "max", "first", "last", "range", "var", "varp", "stddev", "stddevp", "rate", "twa", "ewma", "p"];

    private Statistic(StatisticKind kind, decimal percent) => (Kind, Percent) = (kind, percent);

    public StatisticKind Kind { get; }

    /// <summary>For a quantile, N of pN, from 0 to 100; otherwise 0. A decimal, so that the rank of p99.9 is computed exactly.</summary>
    public decimal Percent { get; }

    /// <summary>Any statistic but a quantile.</summary>
    /// <exception cref="ArgumentException">The kind is Quantile, which needs its percent.</exception>
    public static Statistic Of(StatisticKind kind) =>
        kind == StatisticKind.Quantile ? throw new ArgumentException("a quantile needs its percent", nameof(kind)) : new(kind, 0);

    /// <summary>The quantile pN.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The percent is not between 0 and 100.</exception>
    public static Statistic Quantile(decimal percent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(percent, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        return new(StatisticKind.Quantile, percent);
    }

    /// <summary>Reads a name; the mean may be called <c>avg</c>, as in results, or <c>mean</c>.</summary>
    /// <exception cref="FormatException">There is no such statistic; the text lists those that exist.</exception>
    public static Statistic Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var kind = name is "mean" ? (int)StatisticKind.Mean : Array.IndexOf(Names, name, 0, (int)StatisticKind.Quantile);
        if (kind >= 0)
            return new((StatisticKind)kind, 0);
        if (name.StartsWith('p') && decimal.TryParse(name.AsSpan(1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100)
            return Quantile(percent);
        throw new FormatException($"unknown statistic '{name}'; known are mean (or avg), {string.Join(", ", Names.Where(n => n is not ("avg" or "p")))}, and pN with N from 0 to 100, such as p50 or p99.9");
    }

    /// <summary>Reads names divided by commas, such as <c>mean,min,p95</c>; each statistic appears once, where it was named first.</summary>
    /// <exception cref="FormatException">One of them does not exist.</exception>
    public static IReadOnlyList<Statistic> ParseList(string names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names.Split(',', StringSplitOptions.TrimEntries).Select(Parse).Distinct()];
    }

    /// <summary>The name that results carry: <c>avg</c>, <c>min</c>, <c>p99.9</c>.</summary>
    public override string ToString() =>
        Kind == StatisticKind.Quantile ? $"p{Percent.ToString("0.############################", CultureInfo.InvariantCulture)}" : Names[(int)Kind];
}
