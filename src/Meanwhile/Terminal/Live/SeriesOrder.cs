namespace Meanwhile.Terminal.Live;

/// <summary>What series are sorted by.</summary>
internal enum SortBy
{
    Topic,
    Value,
    Results,
    Age,
}

/// <summary>The order of the series.</summary>
/// <param name="By">What counts.</param>
/// <param name="Column">Which one, when it is a value.</param>
/// <param name="IsReversed">The other way round than is usual: that is topics from A to Z, the largest and the newest first.</param>
internal readonly record struct SeriesOrder(SortBy By, int Column, bool IsReversed) : IComparer<LiveSeries>
{
    /// <summary>The next thing to sort by, in the order of the columns on the screen.</summary>
    public SeriesOrder Next(int columns) => this switch
    {
        { By: SortBy.Topic } => new(columns > 0 ? SortBy.Value : SortBy.Results, 0, false),
        { By: SortBy.Value } when Column + 1 < columns => new(SortBy.Value, Column + 1, false),
        { By: SortBy.Value } => new(SortBy.Results, 0, false),
        { By: SortBy.Results } => new(SortBy.Age, 0, false),
        _ => default,
    };

    /// <inheritdoc/>
    public int Compare(LiveSeries? x, LiveSeries? y)
    {
        var order = By switch
        {
            SortBy.Value => CompareValues(x!.Value(Column), y!.Value(Column)),
            SortBy.Results => Directed(y!.Results.CompareTo(x!.Results)),
            SortBy.Age => Directed(y!.Updated.CompareTo(x!.Updated)),
            _ => Directed(string.CompareOrdinal(x!.Topic, y!.Topic)),
        };
        return order != 0 ? order : string.CompareOrdinal(x.Topic, y.Topic);
    }

    private int Directed(int order) => IsReversed ? -order : order;

    // Who has no value comes last, whatever the direction.
    private int CompareValues(double? x, double? y) => (x, y) switch
    {
        ({ } a, { } b) => Directed(b.CompareTo(a)),
        (null, null) => 0,
        (null, _) => 1,
        _ => -1,
    };
}
