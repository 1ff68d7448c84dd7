namespace Meanwhile.Windows;

/// <summary>The readings of one series, in order of time, from which the mean over any span is taken. Times are milliseconds.</summary>
public sealed class SlidingSeries
{
    private long[] _times = new long[8];
    private double[] _values = new double[8];
    private int _start;
    private int _end;

    /// <summary>How many readings are held.</summary>
    public int Count => _end - _start;

    /// <summary>The newest time among the readings, the series' own now; null when it holds none.</summary>
    public long? Newest => Count == 0 ? null : _times[_end - 1];

    /// <summary>Takes in a reading, in any order of time. Readings of the same time are all kept.</summary>
    public void Add(long time, double value)
    {
        if (_end == _times.Length)
            MakeRoom();
        var at = _end;
        while (at > _start && _times[at - 1] > time)
            at--;
        Array.Copy(_times, at, _times, at + 1, _end - at);
        Array.Copy(_values, at, _values, at + 1, _end - at);
        _times[at] = time;
        _values[at] = value;
        _end++;
    }

    /// <summary>The mean of the readings with from &lt;= t &lt;= to, both ends included; null when there is none.</summary>
    public double? Mean(long from, long to)
    {
        var sum = new DoubleDoubleSum();
        for (var i = _end - 1; i >= _start && _times[i] >= from; i--)
        {
            if (_times[i] <= to)
                sum.Add(_values[i]);
        }
        return sum.Mean();
    }

    /// <summary>Forgets the readings older than a time.</summary>
    public void DropBefore(long time)
    {
        while (_start < _end && _times[_start] < time)
            _start++;
    }

    private void MakeRoom()
    {
        var (times, values) = Count * 2 > _times.Length ? (new long[_times.Length * 2], new double[_times.Length * 2]) : (_times, _values);
        Array.Copy(_times, _start, times, 0, Count);
        Array.Copy(_values, _start, values, 0, Count);
        (_times, _values, _start, _end) = (times, values, 0, Count);
    }
}
