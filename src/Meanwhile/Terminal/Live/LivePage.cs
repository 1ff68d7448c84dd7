namespace Meanwhile.Terminal.Live;

/// <summary>What there is to be seen at a moment.</summary>
internal sealed record LivePage
{
    /// <summary>Where results come from.</summary>
    public required string Source { get; init; }

    /// <summary>How the connection is.</summary>
    public required string State { get; init; }

    /// <summary>Results arrive.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>How many results came.</summary>
    public required long Results { get; init; }

    /// <summary>How many of them were of series that there was no room for.</summary>
    public required long LeftOut { get; init; }

    /// <summary>How many series there are.</summary>
    public required int Series { get; init; }

    /// <summary>How many of them have had no result for some time.</summary>
    public required int Silent { get; init; }

    /// <summary>How many match the filter.</summary>
    public required int Matching { get; init; }

    /// <summary>What topics have to contain.</summary>
    public required string Filter { get; init; }

    /// <summary>The filter is being typed.</summary>
    public required bool IsTyping { get; init; }

    /// <summary>What they are sorted by.</summary>
    public required SeriesOrder Order { get; init; }

    /// <summary>Names of the statistics.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The first of them to be shown.</summary>
    public required int FirstColumn { get; init; }

    /// <summary>Where the first of the rows stands among those that match.</summary>
    public required int FirstRow { get; init; }

    /// <summary>The series in sight.</summary>
    public required IReadOnlyList<LiveRow> Rows { get; init; }

    /// <summary>What the program had to say last.</summary>
    public required string Log { get; init; }
}

/// <summary>One series on the page.</summary>
internal sealed record LiveRow(string Topic, IReadOnlyList<LiveCell> Cells, double?[] Recent, long Results, TimeSpan Age)
{
    /// <summary>It has had no result for some time.</summary>
    public required bool IsSilent { get; init; }

    /// <summary>The cursor is on it.</summary>
    public required bool IsSelected { get; init; }
}

/// <summary>A value, as it is shown.</summary>
/// <param name="Text">Empty where there is none.</param>
/// <param name="Change">It has just risen (1) or fallen (-1).</param>
internal readonly record struct LiveCell(string Text, int Change);
