using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>What the readings of a span amount to. Valid until the next query to the same series or table.</summary>
public readonly ref struct Summary
{
    private readonly Workspace _workspace;
    private readonly double _spanMs;
    private readonly double _toMs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // A call would write the fields to the stack and read them back for each query.
    internal Summary(Workspace workspace, double spanMs, double toMs) => (_workspace, _spanMs, _toMs) = (workspace, spanMs, toMs);

    private ref readonly Sum Sum => ref _workspace.Answer.SumOf(0);

    /// <summary>A statistic of the readings in the span; null if it has none (the count is then 0), or if no finite double can say it.</summary>
    /// <remarks>
    /// Count, sum, mean, min, max, range: as everywhere; a sum or mean of zeros is +0. First, last: by time, and by arrival among equal times.
    /// Var, stddev: of a sample (n - 1), null below two readings; varp, stddevp: of the population.
    /// Rate: readings a second, the count over the length of the span.
    /// Twa: the mean over time, each reading holding from its own time until the next reading, the last one until the end of the span, and the one before the
    /// span from its start. If that one is not known, time counts from the first reading of the span; if that leaves no time at all, it is the last reading.
    /// Ewma: the mean with weights exp(-2 (end - t) / window), over the readings of the span only, so that a reading at the far end weighs 0.135 of one at the
    /// near end. The window is the shortest of the layout's that is not shorter than the span.
    /// pN: the reading of rank ⌈N × count ÷ 100⌉ in ascending order, exact up to 512 readings, within 1% of it beyond.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The statistic is not among the layout's.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double? Value(Statistic statistic)
    {
        if (statistic.Kind == StatisticKind.Count)
            return Sum.Count;
        if (Sum.IsEmpty)
            return null;
        var value = statistic.Kind == StatisticKind.Mean ? Sum.Mean : OtherThanMean(statistic);
        return double.IsFinite(value) ? value : null;
    }

    private double OtherThanMean(in Statistic statistic) => statistic.Kind switch
    {
        StatisticKind.Sum => Sum.Total,
        StatisticKind.Min => Part(Parts.Extremes, 0, statistic),
        StatisticKind.Max => Part(Parts.Extremes, 1, statistic),
        StatisticKind.Range => Part(Parts.Extremes, 1, statistic) - Part(Parts.Extremes, 0, statistic),
        StatisticKind.First => Part(Parts.Ends, 0, statistic),
        StatisticKind.Last => Part(Parts.Ends, 1, statistic),
        StatisticKind.Var => SampleDeviation(statistic) * SampleDeviation(statistic),
        StatisticKind.VarP => Part(Parts.Spread, 0, statistic) * Part(Parts.Spread, 0, statistic),
        StatisticKind.StdDev => SampleDeviation(statistic),
        StatisticKind.StdDevP => Part(Parts.Spread, 0, statistic),
        StatisticKind.Rate => Sum.Count / (_spanMs / 1000),
        StatisticKind.Twa => TimeWeighted(statistic),
        StatisticKind.Ewma => Part(Parts.Decay, 2 * Parts.DecayFor(_spanMs) + 1, statistic),
        StatisticKind.Quantile => Quantile(statistic),
        _ => throw NotKept(statistic),
    };

    private Parts Parts => _workspace.Layout.Parts;

    private double Part(int part, int offset, Statistic statistic) =>
        part >= 0 ? _workspace.Answer.RestOf(0)[part + offset] : throw NotKept(statistic);

    private double SampleDeviation(Statistic statistic) =>
        Sum.Count < 2 ? double.NaN : Part(Parts.Spread, 0, statistic) * Math.Sqrt(Sum.Count / (Sum.Count - 1));

    private double TimeWeighted(Statistic statistic)
    {
        var mean = Part(Parts.Step, 0, statistic);
        var last = Part(Parts.Ends, 1, statistic);
        var (firstTime, lastTime) = (Part(Parts.Times, 0, statistic), Part(Parts.Times, 1, statistic));
        var start = _workspace.Held is null ? firstTime : _toMs - _spanMs;
        var total = _toMs - start;
        if (total == 0)
            return last;
        var held = _workspace.Held is { } before ? before * ((firstTime - start) / total) : 0;
        return Parts.Within(held + mean * ((lastTime - firstTime) / total) + last * ((_toMs - lastTime) / total));
    }

    private double Quantile(Statistic statistic) =>
        _workspace.Layout.HasQuantiles ? _workspace.AnswerValues.Quantile(statistic.Percent) : throw NotKept(statistic);

    private static InvalidOperationException NotKept(Statistic statistic) => new($"the layout does not keep {statistic}");
}
