using System.Security.Cryptography;

namespace Meanwhile.Stores.Postgres;

/// <summary>A batch turned into columns, each of which is one parameter of a statement; used again for the next one.</summary>
internal sealed class BatchColumns
{
    // Longer identities would not fit into an index, and are told apart by their digest, which is longer than any that is kept as it is.
    private const int LongestIdentity = SHA512.HashSizeInBytes - 1;

    public List<double> Numbers { get; } = [];

    public List<double> Times { get; } = [];

    public List<int> Series { get; } = [];

    /// <summary>Empty for a reading without one.</summary>
    public List<ReadOnlyMemory<byte>> Identities { get; } = [];

    /// <summary>Topics that the table does not have yet, and their numbers.</summary>
    public List<string> NewTopics { get; } = [];

    public List<int> NewSeries { get; } = [];

    public bool HasIdentities { get; private set; }

    /// <summary>The time of the oldest reading; milliseconds since the Unix epoch.</summary>
    public long Oldest { get; private set; }

    /// <summary>Takes readings in the place of those before.</summary>
    /// <param name="readings">In the order of their arrival.</param>
    /// <param name="series">The number of each topic; new ones are added.</param>
    public void Fill(List<Reading> readings, SeriesNumbers series)
    {
        Clear();
        foreach (var reading in readings)
        {
            Numbers.Add(reading.Value);
            Times.Add(EpochTime.Seconds(reading.Time));
            Series.Add(NumberOf(reading, series));
            Identities.Add(reading.Identity.Length <= LongestIdentity ? reading.Identity : SHA512.HashData(reading.Identity.Span));
            HasIdentities |= !reading.Identity.IsEmpty;
            Oldest = Math.Min(Oldest, reading.Time);
        }
    }

    /// <summary>Leaves readings out whose identity is known.</summary>
    public void TakeOut(CommitOutcome outcome)
    {
        outcome.TakeKnownOutOf(Numbers);
        outcome.TakeKnownOutOf(Times);
        outcome.TakeKnownOutOf(Series);
        outcome.TakeKnownOutOf(Identities);
    }

    private void Clear()
    {
        Numbers.Clear();
        Times.Clear();
        Series.Clear();
        Identities.Clear();
        NewTopics.Clear();
        NewSeries.Clear();
        (HasIdentities, Oldest) = (false, long.MaxValue);
    }

    private int NumberOf(in Reading reading, SeriesNumbers series)
    {
        var number = series.NumberOf(reading.Series, reading.Time, out var isNew);
        if (isNew)
        {
            NewTopics.Add(PostgresText.Of(reading.Series));
            NewSeries.Add(number);
        }
        return number;
    }
}
