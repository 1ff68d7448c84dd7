namespace Meanwhile.Windows;

/// <summary>The statistics beyond count and sum that a layout keeps: how one reading is lifted to them, and how two neighbours in time combine.</summary>
/// <remarks>They lie as doubles in a row of <see cref="Width"/>; each part knows where it begins, or that it is absent. Nothing is ever subtracted.</remarks>
internal sealed class Parts
{
    private readonly double[] _decayPerMs;

    public Parts(IReadOnlyList<Statistic> statistics, IReadOnlyList<long> windowsMs)
    {
        bool Any(params ReadOnlySpan<StatisticKind> kinds)
        {
            foreach (var statistic in statistics)
            {
                if (kinds.Contains(statistic.Kind))
                    return true;
            }
            return false;
        }
        int Place(bool wanted, int width)
        {
            Width += wanted ? width : 0;
            return wanted ? Width - width : -1;
        }

        // The weight of a reading falls by e in half a window: its mean age, were there no end, would be that of the plain mean.
        _decayPerMs = [.. windowsMs.Select(w => -2.0 / w)];
        var (twa, ewma) = (Any(StatisticKind.Twa), Any(StatisticKind.Ewma));
        Spread = Place(Any(StatisticKind.Var, StatisticKind.VarP, StatisticKind.StdDev, StatisticKind.StdDevP), 1);
        Extremes = Place(Any(StatisticKind.Min, StatisticKind.Max, StatisticKind.Range), 2);
        Ends = Place(Any(StatisticKind.First, StatisticKind.Last) || twa, 2);
        Times = Place(twa || ewma, 2);
        Step = Place(twa, 1);
        Decay = Place(ewma, 2 * _decayPerMs.Length);
        IsOrdered = Ends >= 0 || Times >= 0;
    }

    public int Width { get; private set; }

    /// <summary>Whether the order of time matters to a part, so that a late reading cannot just be folded in.</summary>
    public bool IsOrdered { get; }

    /// <summary>Population standard deviation: unlike a sum of squares it stays inside the range of doubles.</summary>
    public int Spread { get; }

    /// <summary>Least and greatest value.</summary>
    public int Extremes { get; }

    /// <summary>First and last value.</summary>
    public int Ends { get; }

    /// <summary>First and last time.</summary>
    public int Times { get; }

    /// <summary>Mean over time from the first to the last reading, each value holding until the next.</summary>
    public int Step { get; }

    /// <summary>For each window, the weight of its readings as seen from the last time, and their weighted mean.</summary>
    public int Decay { get; }

    public void Lift(Span<double> into, long time, double value)
    {
        if (Spread >= 0)
            into[Spread] = 0;
        if (Extremes >= 0)
            (into[Extremes], into[Extremes + 1]) = (value, value);
        if (Ends >= 0)
            (into[Ends], into[Ends + 1]) = (value, value);
        if (Times >= 0)
            (into[Times], into[Times + 1]) = (time, time);
        if (Step >= 0)
            into[Step] = 0;
        for (var i = 0; Decay >= 0 && i < _decayPerMs.Length; i++)
            (into[Decay + 2 * i], into[Decay + 2 * i + 1]) = (1, value);
    }

    /// <summary>Combines two neighbours, neither of them empty, into the older one; if the order of time matters, no reading of the newer is older than one of the older.</summary>
    public void Combine(in Sum olderSum, Span<double> older, in Sum newerSum, ReadOnlySpan<double> newer)
    {
        if (Spread >= 0)
            older[Spread] = Deviation(olderSum, older[Spread], newerSum, newer[Spread]);
        if (Extremes >= 0)
            (older[Extremes], older[Extremes + 1]) = (Math.Min(older[Extremes], newer[Extremes]), Math.Max(older[Extremes + 1], newer[Extremes + 1]));
        if (Step >= 0)
            older[Step] = StepMean(older, newer);
        if (Decay >= 0)
            CombineDecay(older, newer);
        if (Ends >= 0)
            older[Ends + 1] = newer[Ends + 1];
        if (Times >= 0)
            older[Times + 1] = newer[Times + 1];
    }

    /// <summary>Takes back into the range of doubles a mean that only rounding can have led out of it.</summary>
    public static double Within(double mean) => Math.Clamp(mean, -double.MaxValue, double.MaxValue);

    /// <summary>The index of the window whose decay serves a span: the shortest one not shorter, else the longest.</summary>
    public int DecayFor(double spanMs)
    {
        var window = 0;
        while (window < _decayPerMs.Length - 1 && -2.0 / _decayPerMs[window] < spanMs - 0.5)
            window++;
        return window;
    }

    // Chan, Golub and LeVeque's combination, divided by the count, with the means' difference taken from pairs of doubles.
    private static double Deviation(in Sum olderSum, double older, in Sum newerSum, double newer)
    {
        var count = olderSum.Count + newerSum.Count;
        var (olderPart, newerPart) = (olderSum.Count / count, newerSum.Count / count);
        var (olderMean, olderRest) = olderSum.WideMean;
        var (newerMean, newerRest) = newerSum.WideMean;
        var half = 0.5 * newerMean - 0.5 * olderMean + 0.5 * (newerRest - olderRest);
        var square = olderPart * older * older + newerPart * newer * newer + 4 * olderPart * newerPart * half * half;
        if (square is > 1e-280 and < 1e300)
            return Math.Sqrt(square);

        var unit = Math.Max(Math.Max(older, newer), Math.Abs(half));
        if (unit == 0)
            return 0;
        (older, newer, half) = (older / unit, newer / unit, half / unit);
        return Within(unit * Math.Sqrt(olderPart * older * older + newerPart * newer * newer + 4 * olderPart * newerPart * half * half));
    }

    private double StepMean(ReadOnlySpan<double> older, ReadOnlySpan<double> newer)
    {
        var total = newer[Times + 1] - older[Times];
        if (total == 0)
            return 0;
        var olderPart = (older[Times + 1] - older[Times]) / total;
        var gapPart = (newer[Times] - older[Times + 1]) / total;
        var newerPart = (newer[Times + 1] - newer[Times]) / total;
        return Within(older[Step] * olderPart + older[Ends + 1] * gapPart + newer[Step] * newerPart);
    }

    private void CombineDecay(Span<double> older, ReadOnlySpan<double> newer)
    {
        var gap = newer[Times + 1] - older[Times + 1];
        for (var i = 0; i < _decayPerMs.Length; i++)
        {
            var at = Decay + 2 * i;
            var olderWeight = gap == 0 ? older[at] : older[at] * Math.Exp(gap * _decayPerMs[i]);
            var weight = olderWeight + newer[at];
            older[at + 1] = Within(older[at + 1] * (olderWeight / weight) + newer[at + 1] * (newer[at] / weight));
            older[at] = weight;
        }
    }
}
