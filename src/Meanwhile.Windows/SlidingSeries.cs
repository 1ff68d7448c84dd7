using System.Runtime.CompilerServices;

namespace Meanwhile.Windows;

/// <summary>
/// The readings of one series, from which every statistic over any span of time is taken. Times are whole milliseconds, values any finite doubles;
/// readings may come in any order of time. Not safe for use by several threads at once; nor are the series of one table.
/// </summary>
public class SlidingSeries
{
    // Up to here the readings themselves, looked through one by one, are both smaller and as fast as a tree.
    private const int SparseUpTo = 48;

    private readonly Workspace _workspace;
    private Reading[] _readings = [];
    private int _count;
    private TimeTree? _tree;
    private long _latest = long.MinValue;

    public SlidingSeries(WindowLayout layout)
        : this(new Workspace(layout))
    {
    }

    private protected SlidingSeries(Workspace workspace) => _workspace = workspace;

    /// <summary>The newest time among the readings, the series' own now; null when it holds none.</summary>
    public long? Newest => _latest >= _workspace.CutoffMs ? _latest : null;

    /// <summary>The table calls this when it forgets the series.</summary>
    public Action? Forgotten { get; set; }

    private protected WindowLayout Layout => _workspace.Layout;

    /// <summary>The newest time there ever was.</summary>
    private protected long LatestMs => _latest;

    /// <summary>Takes in a reading. False, and nothing happens, if it is older than what has been dropped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or the time lies more than 140,000 years away.</exception>
    public bool Add(long timeMs, double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(nameof(value), value, "a reading is a finite number");
        if (timeMs is > Workspace.FarthestMs or < -Workspace.FarthestMs)
            throw new ArgumentOutOfRangeException(nameof(timeMs), timeMs, "a time in milliseconds since 1970 was expected");
        if (timeMs < _workspace.CutoffMs)
            return false;

        if (_tree is null && _count == _readings.Length)
            MakeRoom();
        if (_tree is null)
            Insert(new Reading(timeMs, value));
        else
            _tree.Add(timeMs, value, timeMs >= _latest);
        _latest = Math.Max(_latest, timeMs);
        if (_tree is { IsPruningDue: true })
            Prune();
        return true;
    }

    /// <summary>What the readings with from &lt;= t &lt;= to amount to, both ends included; what was dropped is left out.</summary>
    /// <returns>A view that is valid until the next query to this series, or to any other of the same table.</returns>
    public Summary Query(long fromMs, long toMs)
    {
        if (Layout.HasQuantiles)
            _workspace.AnswerValues.Clear();
        var from = Math.Clamp(fromMs, _workspace.CutoffMs, Workspace.FarthestMs + 1);
        var to = Math.Min(toMs, Workspace.FarthestMs);
        if (_tree is null)
            CollectSparse(from, to);
        else if (toMs >= _latest && Layout.WindowOf(toMs - fromMs) is >= 0 and var window)
            _tree.CollectWindow(window, from);
        else
            _tree.Collect(from, to);
        return new Summary(_workspace, (double)toMs - fromMs, toMs);
    }

    /// <summary>Forgets the readings older than a time, for good. In a table of series this is the table's work.</summary>
    public void DropBefore(long cutoffMs)
    {
        _workspace.CutoffMs = Math.Clamp(cutoffMs, _workspace.CutoffMs, Workspace.FarthestMs);
        if (_tree is not { IsPruningDue: false })
            Prune();
    }

    /// <summary>The earliest time not before the given one, if there is any; what was dropped is left out.</summary>
    public long? FirstFrom(long timeMs) => FirstHeldFrom(Math.Max(timeMs, _workspace.CutoffMs));

    /// <summary>The same, but what was dropped is seen until its room is given up: it may be what has just left a window as long as the retention.</summary>
    private protected long? FirstHeldFrom(long timeMs)
    {
        if (_tree is not null)
            return _tree.FirstFrom(timeMs);
        var at = FirstPlaceFrom(timeMs);
        return at < _count ? _readings[at].TimeMs : null;
    }

    /// <summary>Gives up the room of the readings before the cut-off.</summary>
    private protected void Prune()
    {
        if (_tree is not null)
        {
            _tree.Prune();
            if (_tree.IsEmpty)
            {
                _tree.Leave();
                _tree = null;
            }
        }
        else
        {
            var gone = FirstPlaceFrom(_workspace.CutoffMs);
            _count -= gone;
            Array.Copy(_readings, gone, _readings, 0, _count);
        }
        if (_tree is null && _count == 0)
            _latest = long.MinValue;
    }

    /// <summary>The memory of the readings that are not in a tree is free.</summary>
    private protected void GiveUpRoom() => _workspace.HeldBytes -= _readings.Length * (long)Unsafe.SizeOf<Reading>();

    private void MakeRoom()
    {
        Prune();
        if (_count < _readings.Length)
            return;
        if (_count < SparseUpTo)
        {
            GiveUpRoom();
            Array.Resize(ref _readings, Math.Min(SparseUpTo, Math.Max(_count + 1, _count < 8 ? _count * 2 : _count * 3 / 2)));
            _workspace.HeldBytes += _readings.Length * (long)Unsafe.SizeOf<Reading>();
            return;
        }
        _tree = new TimeTree(_workspace);
        foreach (var reading in _readings)
            _tree.Add(reading.TimeMs, reading.Value, newest: true);
        GiveUpRoom();
        (_readings, _count) = ([], 0);
    }

    private void Insert(Reading reading)
    {
        var at = _count;
        while (at > 0 && _readings[at - 1].TimeMs > reading.TimeMs)
            at--;
        Array.Copy(_readings, at, _readings, at + 1, _count - at);
        _readings[at] = reading;
        _count++;
    }

    private void CollectSparse(long from, long to)
    {
        _workspace.Answer.Clear(0);
        var first = FirstPlaceFrom(from);
        _workspace.Held = first > 0 && _readings[first - 1].TimeMs >= _workspace.CutoffMs ? _readings[first - 1].Value : null;
        for (var i = first; i < _count && _readings[i].TimeMs <= to; i++)
        {
            var (time, value) = _readings[i];
            _workspace.Lifted.Lift(0, time, value);
            _workspace.Answer.Combine(0, _workspace.Lifted, 0);
            if (Layout.HasQuantiles)
                _workspace.AnswerValues.Add(value);
        }
    }

    private int FirstPlaceFrom(long timeMs)
    {
        var at = _count;
        while (at > 0 && _readings[at - 1].TimeMs >= timeMs)
            at--;
        return at;
    }

    private readonly record struct Reading(long TimeMs, double Value);
}
