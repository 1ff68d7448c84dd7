namespace Meanwhile.Terminal.Live;

/// <summary>What is known of one series: its last result, and how its first statistic came there.</summary>
/// <param name="topic">As it is shown.</param>
internal sealed class LiveSeries(string topic)
{
    /// <summary>How many results the curve can show.</summary>
    public const int CurveLength = 40;

    private readonly double?[] _recent = new double?[CurveLength];
    private double?[] _values = [];
    private sbyte[] _changes = [];

    /// <summary>Its topic, as it is shown.</summary>
    public string Topic => topic;

    /// <summary>How many results there were.</summary>
    public long Results { get; private set; }

    /// <summary>When the last one came; a timestamp of the clock.</summary>
    public long Updated { get; private set; }

    /// <summary>The value in a column; null where there is none.</summary>
    public double? Value(int column) => column < _values.Length ? _values[column] : null;

    /// <summary>Whether the last result has raised (1) or lowered (-1) the value in a column.</summary>
    public int Change(int column) => column < _changes.Length ? _changes[column] : 0;

    /// <summary>The first column's newest values, from old to new.</summary>
    public double?[] Recent()
    {
        var count = (int)Math.Min(Results, CurveLength);
        var recent = new double?[count];
        for (var i = 0; i < count; i++)
            recent[i] = _recent[(Results - count + i) % CurveLength];
        return recent;
    }

    /// <summary>Takes a result in.</summary>
    /// <param name="values">One for each column.</param>
    /// <param name="now">A timestamp of the clock.</param>
    public void Add(ReadOnlySpan<double?> values, long now)
    {
        if (_values.Length < values.Length)
        {
            Array.Resize(ref _values, values.Length);
            Array.Resize(ref _changes, values.Length);
        }
        for (var i = 0; i < values.Length; i++)
        {
            _changes[i] = (sbyte)(_values[i] is { } before && values[i] is { } after ? after.CompareTo(before) : 0);
            _values[i] = values[i];
        }
        _recent[Results % CurveLength] = values.IsEmpty ? null : values[0];
        Results++;
        Updated = now;
    }
}
