namespace Meanwhile.Trials.Benchmarking;

/// <summary>How far a scenario is.</summary>
/// <param name="from">Where it begins in the whole, from 0 to 1.</param>
/// <param name="to">Where it ends.</param>
internal sealed class Steps(string scenario, double from, double to, Action<double, string> progress)
{
    private int _done;
    private int _all = 1;

    /// <summary>So many are to come.</summary>
    public void Expect(int steps) => _all = steps;

    /// <summary>One begins.</summary>
    public void Next(string text) => progress(from + ((to - from) * Math.Min(1, _done++ / (double)_all)), $"{scenario}: {text}");
}
