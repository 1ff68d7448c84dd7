namespace Meanwhile.Stores;

/// <summary>What can be read of a store: by its owner, or by others while it is in use, who then see it as it was when they opened it.</summary>
internal interface IStoreReader : IDisposable
{
    /// <summary>Reads readings back, those whose series has a usable name, in the order of their times, and in that of their arrival where times are equal.</summary>
    /// <param name="from">The first time; milliseconds since the Unix epoch.</param>
    /// <param name="to">The last time.</param>
    /// <exception cref="StoreException">They cannot be read.</exception>
    IEnumerable<Reading> ReadReadings(long from, long to);

    /// <summary>What is left out of the readings.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    IEnumerable<LeftOut> FindLeftOut() => [];

    /// <summary>Reads the messages that were no readings, oldest first.</summary>
    /// <param name="newestFirst">The other way round.</param>
    /// <exception cref="StoreException">They cannot be read.</exception>
    IEnumerable<QuarantinedMessage> ReadQuarantine(bool newestFirst = false);
}
