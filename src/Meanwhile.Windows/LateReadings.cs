using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// Late readings on their way into a tree. A tree that no cache holds makes each of them wait for memory several times in a row; those of a group wait together.
/// </summary>
internal sealed class LateReadings
{
    private const int Most = 16;

    private readonly (long TimeMs, double Value)[] _readings = new (long, double)[Most];
    private readonly TimeNode?[] _leaves = new TimeNode?[Most];
    private int _count;

    public bool IsFull => _count == Most;

    public ReadOnlySpan<(long TimeMs, double Value)> All => _readings.AsSpan(0, _count);

    public void Add(long time, double value) => _readings[_count++] = (time, value);

    public void Clear()
    {
        _leaves.AsSpan(0, _count).Clear();
        _count = 0;
    }

    /// <summary>Brings the leaves to which the readings belong into the processor's caches.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Fetch(TimeNode root)
    {
        for (var i = 0; i < _count; i++)
            _leaves[i] = root.LeafOf(_readings[i].TimeMs);
        // A loop of its own, in which no step depends on the one before: the processor begins several before the first has its memory.
        for (var i = 0; i < _count; i++)
            _ = _leaves[i]!.PlaceOf(_readings[i].TimeMs);
    }
}
