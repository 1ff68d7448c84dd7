using System.Threading.Channels;

namespace Meanwhile.Pipeline;

/// <summary>
/// The newest result of each series that one listener has not taken yet: a newer one takes the place of an older one, so that who is slow loses those in
/// between, and never the last.
/// </summary>
/// <param name="wants">Which series it listens to.</param>
internal sealed class ResultMailbox(Func<string, bool> wants)
{
    /// <summary>What it holds at most, in series; who leaves more lying about does not listen any more.</summary>
    public const int MostSeries = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (byte[] Payload, long End)> _newest = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    // A signal, not a queue: one is as good as many.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Puts a result in, unless it is of no interest.</summary>
    public void Put(string series, byte[] payload, long end)
    {
        if (!wants(series))
            return;
        lock (_gate)
        {
            if (_newest.Count == MostSeries && !_newest.ContainsKey(series))
            {
                _signal.Writer.TryComplete();
                return;
            }
            if (_newest.TryAdd(series, (payload, end)))
                _order.Enqueue(series);
            else
                _newest[series] = (payload, end);
        }
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Waits until something may be there. False when it was full: results are missing from here on.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (!await _signal.Reader.WaitToReadAsync(cancellationToken))
            return false;
        _signal.Reader.TryRead(out _);
        return true;
    }

    /// <summary>Takes the result out that has been waiting for longest.</summary>
    public bool TryTake(out (string Series, byte[] Payload, long End) result)
    {
        lock (_gate)
        {
            result = default;
            if (!_order.TryDequeue(out var series))
                return false;
            _newest.Remove(series, out var newest);
            result = (series, newest.Payload, newest.End);
            return true;
        }
    }
}
