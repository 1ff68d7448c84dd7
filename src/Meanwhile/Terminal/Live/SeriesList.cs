namespace Meanwhile.Terminal.Live;

/// <summary>All series that results came of, with a column for each of their statistics.</summary>
internal sealed class SeriesList(TimeProvider time)
{
    // Whoever publishes results chooses their topics and names: they must not take all memory.
    private const int MostSeries = 50_000;
    private const int MostColumns = 64;
    private const int LongestTopic = 500;

    private readonly Dictionary<string, LiveSeries> _byTopic = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _columnOf = new(StringComparer.Ordinal);
    private readonly List<string> _columns = [];
    private readonly List<LiveSeries> _view = [];
    private (string Filter, SeriesOrder Order)? _viewed;
    private double?[] _row = [];

    /// <summary>Names of the statistics, in the order in which they came, as they are shown.</summary>
    public IReadOnlyList<string> Columns => _columns;

    /// <summary>How many series there are.</summary>
    public int Count => _byTopic.Count;

    /// <summary>How many results came.</summary>
    public long Results { get; private set; }

    /// <summary>How many of them were of series that there was no room for.</summary>
    public long LeftOut { get; private set; }

    /// <summary>How many series have had no result for some time.</summary>
    public int CountSilent(TimeSpan patience) => _byTopic.Values.Count(series => time.GetElapsedTime(series.Updated) > patience);

    /// <summary>Takes a result in.</summary>
    public void Add(string topic, IReadOnlyList<StatsMember> result)
    {
        Results++;
        if (!_byTopic.TryGetValue(topic, out var series))
        {
            if (_byTopic.Count == MostSeries)
            {
                LeftOut++;
                return;
            }
            series = _byTopic[topic] = new LiveSeries(SafeText.Of(topic.Length > LongestTopic ? topic[..LongestTopic] + '…' : topic));
            _viewed = null;
        }
        Array.Clear(_row);
        foreach (var member in result)
        {
            if (ColumnOf(member.Name) is { } column)
                _row[column] = member.Value;
        }
        series.Add(_row, time.GetTimestamp());
        if (_viewed is { Order.By: not SortBy.Topic })
            _viewed = null; // Sorting by topic stays right whatever comes.
    }

    /// <summary>The series whose topics contain a text, in order.</summary>
    public List<LiveSeries> View(string filter, SeriesOrder order)
    {
        if (_viewed == (filter, order))
            return _view;
        _view.Clear();
        _view.AddRange(_byTopic.Values.Where(series => series.Topic.Contains(filter, StringComparison.OrdinalIgnoreCase)));
        _view.Sort(order);
        _viewed = (filter, order);
        return _view;
    }

    private int? ColumnOf(string name)
    {
        if (_columnOf.TryGetValue(name, out var column))
            return column;
        if (_columns.Count == MostColumns)
            return null;
        _columnOf[name] = _columns.Count;
        _columns.Add(SafeText.Cut(SafeText.Of(name), 20));
        Array.Resize(ref _row, _columns.Count);
        return _columns.Count - 1;
    }
}
