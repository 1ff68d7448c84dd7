using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Meanwhile.Mqtt.Session;

/// <summary>
/// What waits for the host, bounded by count and, until it is completed, by memory. Connections put in what they have read in one go, and the host takes all that is there in one
/// go, so that neither pays for a lock with each message.
/// </summary>
/// <param name="mostItems">That wait to be read.</param>
/// <param name="mostBytes">Of messages that are not completed. A single larger one has to wait until nothing else is held.</param>
internal sealed class IncomingQueue(int mostItems, long mostBytes) : ChannelReader<Incoming>
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Signal> _waiting = new(); // Served in turn.
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Incoming> _collecting = [];
    private List<Incoming> _reading = [];
    private TaskCompletionSource<bool>? _reader;
    private int _read;
    private long _held;
    private volatile bool _isClosed;

    /// <inheritdoc/>
    public override Task Completion => _ended.Task;

    /// <inheritdoc/>
    public override bool CanCount => true;

    /// <inheritdoc/>
    public override int Count
    {
        get
        {
            lock (_gate)
                return _collecting.Count + _reading.Count - _read;
        }
    }

    /// <summary>The memory of messages that are not completed, in bytes.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Puts in as many as there is room for, unless others wait for it, or nothing is taken in any more.</summary>
    /// <returns>How many.</returns>
    public int Put(ReadOnlySpan<Incoming> items)
    {
        lock (_gate)
            return _waiting.Count > 0 || _isClosed ? 0 : PutWhatFits(items);
    }

    /// <summary>Puts all of them in, as there comes to be room, before whoever comes later.</summary>
    /// <param name="items">What.</param>
    /// <param name="place">In the line, for this wait alone.</param>
    /// <param name="cancellation">Leaves the line.</param>
    /// <returns>How many are in: all, unless it was cancelled, or nothing is taken in any more.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> PutAsync(ReadOnlyMemory<Incoming> items, LinkedListNode<Signal> place, CancellationToken cancellation)
    {
        lock (_gate)
            _waiting.AddLast(place);
        using var waking = cancellation.UnsafeRegister(static signal => ((Signal)signal!).Set(), place.Value);
        var count = 0;
        while (true)
        {
            lock (_gate)
            {
                if (_waiting.First == place && !_isClosed)
                    count += PutWhatFits(items.Span[count..]);
                if (count == items.Length || _isClosed || cancellation.IsCancellationRequested)
                {
                    _waiting.Remove(place);
                    CallNext();
                    return count;
                }
            }
            await place.Value.WaitAsync();
        }
    }

    /// <inheritdoc/>
    /// <remarks>One reader at a time.</remarks>
    public override bool TryRead([MaybeNullWhen(false)] out Incoming item)
    {
        if (_read == _reading.Count && !TrySwap())
        {
            item = default;
            return false;
        }
        item = _reading[_read++];
        if (_isClosed)
            EndWhenEmpty();
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_read < _reading.Count || _collecting.Count > 0)
                return ValueTask.FromResult(true);
            if (_isClosed)
            {
                _ended.TrySetResult();
                return ValueTask.FromResult(false);
            }
            _reader ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<bool>(_reader.Task.WaitAsync(cancellationToken));
        }
    }

    /// <summary>The memory of messages is free again.</summary>
    public void Give(long bytes)
    {
        lock (_gate)
        {
            _held -= bytes;
            CallNext();
        }
    }

    /// <summary>Takes nothing in any more; what is here can still be read.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            WakeReader(isThere: _collecting.Count > 0);
            foreach (var waiter in _waiting)
                waiter.Set();
            EndWhenEmpty();
        }
    }

    private int PutWhatFits(ReadOnlySpan<Incoming> items)
    {
        var count = 0;
        while (count < items.Length && _collecting.Count < mostItems && TryHold(items[count].Message?.Size ?? 0))
            _collecting.Add(items[count++]);
        if (count > 0)
            WakeReader(isThere: true);
        return count;
    }

    private bool TryHold(long bytes)
    {
        if (bytes > 0 && _held > 0 && _held + bytes > mostBytes)
            return false;
        _held += bytes;
        return true;
    }

    private bool TrySwap()
    {
        lock (_gate)
        {
            _reading.Clear();
            (_read, _reading, _collecting) = (0, _collecting, _reading);
            CallNext();
            return _reading.Count > 0;
        }
    }

    private void WakeReader(bool isThere)
    {
        _reader?.TrySetResult(isThere);
        _reader = null;
    }

    private void EndWhenEmpty()
    {
        if (Count == 0)
            _ended.TrySetResult();
    }

    private void CallNext()
    {
        _waiting.First?.Value.Set();
    }
}
