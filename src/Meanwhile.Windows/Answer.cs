namespace Meanwhile.Windows;

/// <summary>Puts partials together from the newest to the oldest.</summary>
internal sealed class Answer(Parts parts)
{
    // The sum is not brought into shape after each step, as one in a node is: three independent running sums keep the processor busy.
    private double _count;
    private double _high;
    private double _low;
    private double _lowest;
    private bool _isScaled;
    private Sum _scaled;
    private double[] _rest = new double[parts.Width];
    private double[] _spare = new double[parts.Width];

    public double Count => _count;

    public Sum Sum => _isScaled ? _scaled : new Sum(_count, _high, _low + _lowest);

    public ReadOnlySpan<double> Rest => _rest;

    public void Clear() => (_count, _high, _low, _lowest, _isScaled) = (0, 0, 0, 0, false);

    /// <summary>Combines with a partial, not empty, that lies before what is here.</summary>
    public void Prepend(in Partials others, int from)
    {
        ref readonly var older = ref others.SumOf(from);
        if (parts.Width > 0)
            PrependRest(older, others.RestOf(from));

        var (high, error) = Sum.TwoSum(_high, older.High);
        if (_isScaled || older.IsScaled || !double.IsFinite(high))
        {
            (_scaled, _isScaled) = (Sum + older, true);
        }
        else
        {
            var (low, lowError) = Sum.TwoSum(_low, older.Low);
            (low, error) = Sum.TwoSum(low, error);
            (_high, _low, _lowest) = (high, low, _lowest + (lowError + error));
        }
        _count += older.Count;
    }

    private void PrependRest(in Sum olderSum, ReadOnlySpan<double> older)
    {
        if (_count == 0)
        {
            older.CopyTo(_rest);
            return;
        }
        older.CopyTo(_spare);
        parts.Combine(olderSum, _spare, Sum, _rest);
        (_rest, _spare) = (_spare, _rest);
    }
}
