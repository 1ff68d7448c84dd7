using System.Threading.Channels;
using Meanwhile.Feeds;

namespace Meanwhile.Pipeline;

/// <summary>Says when the data path has something to do: deliveries, or a tick of the clock.</summary>
internal sealed class WorkSignal : IDisposable
{
    // Old readings leave the file this often, also when nothing arrives; with a tick, at each tick.
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromSeconds(1);

    private readonly ChannelReader<Delivery> _deliveries;
    private readonly PeriodicTimer _timer;
    private Task<bool> _tick;
    private Task<bool> _readable = Task.FromResult(true);

    /// <summary>A signal for one reader.</summary>
    /// <param name="tick">How often windows move with the clock; null for never.</param>
    public WorkSignal(ChannelReader<Delivery> deliveries, TimeSpan? tick, TimeProvider time)
    {
        _deliveries = deliveries;
        _timer = new PeriodicTimer(tick ?? ExpiryInterval, time);
        _tick = _timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
    }

    /// <summary>The clock has ticked since the last wait.</summary>
    public bool TickIsDue { get; private set; }

    /// <summary>Waits for something to do. False when the deliveries have ended.</summary>
    public async Task<bool> WaitAsync()
    {
        if (_readable.IsCompleted)
            _readable = _deliveries.WaitToReadAsync(CancellationToken.None).AsTask();
        if (!_readable.IsCompleted)
            await Task.WhenAny(_readable, _tick);

        TickIsDue = _tick.IsCompleted;
        if (TickIsDue)
            _tick = _timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        return !_readable.IsCompleted || await _readable;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
