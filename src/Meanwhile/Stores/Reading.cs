namespace Meanwhile.Stores;

/// <summary>One number with its time.</summary>
/// <param name="Series">The concrete topic that it came on.</param>
/// <param name="Time">Event time, milliseconds since the Unix epoch.</param>
/// <param name="Value">Finite.</param>
internal readonly record struct Reading(string Series, long Time, double Value)
{
    /// <summary>What tells it from every other reading of its series, in UTF-8; empty for none. It is not read back.</summary>
    public ReadOnlyMemory<byte> Identity { get; init; }
}
