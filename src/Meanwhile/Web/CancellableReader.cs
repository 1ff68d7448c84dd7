using Meanwhile.Stores;

namespace Meanwhile.Web;

/// <summary>Reads a store for as long as somebody waits for the answer: who has asked and gone shall not keep a core busy.</summary>
internal sealed class CancellableReader(IStoreReader reader, CancellationToken gone) : IStoreReader
{
    private const int RowsALook = 1024;

    /// <inheritdoc/>
    public IEnumerable<Reading> ReadReadings(long from, long to) => While(reader.ReadReadings(from, to));

    /// <inheritdoc/>
    public IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false) => While(reader.ReadQuarantine(newestFirst));

    /// <inheritdoc/>
    public void Dispose() => reader.Dispose();

    private IEnumerable<T> While<T>(IEnumerable<T> rows)
    {
        var seen = 0;
        foreach (var row in rows)
        {
            if (++seen % RowsALook == 0)
                gone.ThrowIfCancellationRequested();
            yield return row;
        }
    }
}
