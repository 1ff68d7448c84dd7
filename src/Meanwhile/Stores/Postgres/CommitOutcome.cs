namespace Meanwhile.Stores.Postgres;

/// <summary>What a transaction brings about if it is committed; known before that.</summary>
/// <param name="Number">Which of its owner's it is.</param>
/// <param name="Report">For who handed in the batch.</param>
/// <param name="Known">The places of readings whose identity was known, in ascending order.</param>
internal sealed record CommitOutcome(long Number, CommitReport Report, IReadOnlyList<int> Known)
{
    /// <summary>Leaves the readings that are new, or a column of theirs.</summary>
    public void TakeKnownOutOf<T>(List<T> readings)
    {
        if (Known.Count == 0)
            return;
        var (place, next) = (0, 0);
        readings.RemoveAll(_ =>
        {
            if (next == Known.Count || Known[next] != place++)
                return false;
            next++;
            return true;
        });
    }
}
