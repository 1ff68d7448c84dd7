using System.Runtime.InteropServices;
using System.Threading.Channels;
using Meanwhile.Stores;

namespace Meanwhile.Pipeline;

/// <summary>
/// The newest result of each series that one listener has not taken yet: a newer one takes the place of an older one, so that who is slow loses those in
/// between, and never the last.
/// </summary>
/// <param name="wants">Which series it listens to.</param>
/// <param name="readingsOf">The series whose readings it wants as well; null for none.</param>
/// <param name="span">Readings are thinned within spans so long, in milliseconds.</param>
internal sealed class ResultMailbox(Func<string, bool> wants, string? readingsOf = null, long span = 1)
{
    /// <summary>What it holds at most, in series; who leaves more lying about does not listen any more.</summary>
    public const int MostSeries = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PublishedResult> _newest = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly ThinnedReadings _readings = new(span);

    // A signal, not a queue: one is as good as many.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Puts a result in, unless it is of no interest.</summary>
    public void Put(string series, in PublishedResult result)
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
            if (_newest.TryAdd(series, result))
                _order.Enqueue(series);
            else
                _newest[series] = result;
        }
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Puts committed readings in, those of the series that it wants them of.</summary>
    public void Put(List<Reading> committed)
    {
        if (readingsOf is null)
            return;
        lock (_gate)
        {
            foreach (ref readonly var reading in CollectionsMarshal.AsSpan(committed))
            {
                if (reading.Series == readingsOf)
                    _readings.Add(reading.Time, reading.Value);
            }
            if (_readings.Count == 0)
                return;
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

    /// <summary>Takes the readings out, in the order of their times.</summary>
    public List<(long Time, double Value)> TakeReadings()
    {
        lock (_gate)
        {
            List<(long, double)> readings = [.. _readings.Read()];
            _readings.Clear();
            return readings;
        }
    }

    /// <summary>Takes the result out that has been waiting for longest.</summary>
    public bool TryTake(out string series, out PublishedResult result)
    {
        lock (_gate)
        {
            result = default;
            return _order.TryDequeue(out series!) && _newest.Remove(series, out result);
        }
    }
}

/// <summary>A result as it was published.</summary>
/// <param name="Payload">To the byte.</param>
/// <param name="End">Where its windows end; milliseconds since the Unix epoch.</param>
/// <param name="Newest">The time of the series' newest reading; null when it has none any more.</param>
/// <param name="Number">Counts up, so that who hears of results in two ways knows which is the newer one.</param>
internal readonly record struct PublishedResult(byte[] Payload, long End, long? Newest, long Number);
