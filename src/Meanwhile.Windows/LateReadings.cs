using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// Late readings on their way into a tree. A tree that no cache holds makes each of them wait for memory several times in a row; those of a group wait together.
/// </summary>
internal sealed class LateReadings
{
    private const int Most = 16;

    private readonly (long TimeMs, double Value)[] _readings = new (long, double)[Most];
    private readonly TimeNode?[] _nodes = new TimeNode?[Most];
    private int _count;

    public bool IsFull => _count == Most;

    public ReadOnlySpan<(long TimeMs, double Value)> All => _readings.AsSpan(0, _count);

    public void Add(long time, double value) => _readings[_count++] = (time, value);

    public void Clear()
    {
        _nodes.AsSpan(0, _count).Clear();
        _count = 0;
    }

    /// <summary>Brings into the processor's caches what the readings will need on their ways through a tree.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Fetch(TimeNode root)
    {
        // Level by level, and twice at each: in the first round no step depends on the one before, and the processor begins several before the first has its memory.
        _nodes.AsSpan(0, _count).Fill(root);
        while (true)
        {
            for (var i = 0; i < _count; i++)
                _nodes[i]!.FetchNear(_readings[i].TimeMs);
            if (_nodes[0]!.IsLeaf) // And so are the others: all leaves are at one depth.
                return;
            for (var i = 0; i < _count; i++)
                _nodes[i] = _nodes[i]!.ChildOf(_readings[i].TimeMs);
        }
    }
}
