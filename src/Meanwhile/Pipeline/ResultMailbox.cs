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

    // An entry of the dictionary with its key, its place in the queue, and the head of a payload.
    private const int BytesASeries = 112;

    private readonly Lock _gate = new();
    private Dictionary<string, PublishedResult> _newest = new(StringComparer.Ordinal);
    private Queue<string> _order = new();
    private readonly DownsampledReadings _readings = new(span);

    private long _payloads;
    private bool _isDismissed;

    // A signal, not a queue: one is as good as many.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>How much memory it takes, in bytes; that of a dictionary is not given back when it is emptied.</summary>
    public long Held => Volatile.Read(ref _payloads) + (BytesASeries * (long)_newest.Capacity);

    /// <summary>Puts a result in, unless it is of no interest.</summary>
    /// <param name="series">Whose.</param>
    /// <param name="result">Its payload is copied, to where the one was that it takes the place of: a fast series leaves no garbage behind.</param>
    /// <param name="number">Of the result.</param>
    public void Put(string series, in Result result, long number)
    {
        if (!wants(series))
            return;
        lock (_gate)
        {
            if (_isDismissed)
                return;
            if (_newest.Count == MostSeries && !_newest.ContainsKey(series))
            {
                Dismiss();
                return;
            }
            ref var newest = ref CollectionsMarshal.GetValueRefOrAddDefault(_newest, series, out var isThere);
            var payload = result.Payload.Span;
            var buffer = isThere && newest.Buffer.Length >= payload.Length ? newest.Buffer : new byte[payload.Length];
            payload.CopyTo(buffer);
            Volatile.Write(ref _payloads, _payloads + buffer.Length - (isThere ? newest.Buffer.Length : 0));
            newest = new PublishedResult(buffer, payload.Length, result.End, result.Newest, number);
            if (isThere)
                return; // Whoever takes it out is on the way.
            _order.Enqueue(series);
        }
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Its listener does not take what is put in: it gets no more, and may come again.</summary>
    public void Dismiss()
    {
        lock (_gate)
        {
            (_isDismissed, _newest, _order) = (true, new(StringComparer.Ordinal), new());
            Volatile.Write(ref _payloads, 0);
            _readings.Clear();
        }
        _signal.Writer.TryComplete();
    }

    /// <summary>Puts committed readings in, those of the series that it wants them of.</summary>
    public void Put(List<Reading> committed)
    {
        if (readingsOf is null)
            return;
        lock (_gate)
        {
            if (_isDismissed)
                return;
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
            if (!_order.TryDequeue(out series!) || !_newest.Remove(series, out result))
                return false;
            Volatile.Write(ref _payloads, _payloads - result.Buffer.Length);
            return true;
        }
    }
}

/// <summary>A result as it was published.</summary>
/// <param name="Buffer">Begins with the payload.</param>
/// <param name="Length">Of the payload.</param>
/// <param name="End">Where its windows end; milliseconds since the Unix epoch.</param>
/// <param name="Newest">The time of the series' newest reading; null when it has none any more.</param>
/// <param name="Number">Counts up, so that who hears of results in two ways knows which is the newer one.</param>
internal readonly record struct PublishedResult(byte[] Buffer, int Length, long End, long? Newest, long Number)
{
    /// <summary>To the byte.</summary>
    public ReadOnlySpan<byte> Payload => Buffer.AsSpan(0, Length);
}
