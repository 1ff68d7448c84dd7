using HdrHistogram;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>
/// Messages sent when they are due, whatever has become of those before, and the time from when each was due until its result was there. Whoever
/// cannot keep up is so measured by those who had to wait as well (no coordinated omission).
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class OpenLoop(TimeProvider time)
{
    private const long LongestMicroseconds = 600_000_000;
    private const int Digits = 3;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private volatile Schedule? _schedule;

    /// <summary>To be told how many messages have got their results, in one thread.</summary>
    public void Moved(long processed) => _schedule?.Answer(processed, time.GetTimestamp());

    /// <summary>Publishes for a while at an even rate, and waits for all results.</summary>
    /// <param name="rate">Messages a second.</param>
    public async Task<Latencies> RunAsync(LoadGenerator load, double rate, TimeSpan duration, CancellationToken stop)
    {
        var schedule = new Schedule(load.Sent.Total, rate, time);
        _schedule = schedule;
        using (var timer = new PeriodicTimer(Tick, time))
        {
            while (await timer.WaitForNextTickAsync(stop) && time.GetElapsedTime(schedule.Start) is var elapsed && elapsed < duration)
                await load.PublishAsync(schedule.Due(elapsed), stop);
        }
        await load.DrainAsync(stop);
        var (last, moved) = (schedule.Answered, time.GetTimestamp());
        while (schedule.Answered < schedule.Sent && time.GetElapsedTime(moved) < Patience) // The account says what is missing.
        {
            await Task.Delay(Tick, time, stop);
            if (schedule.Answered != last)
                (last, moved) = (schedule.Answered, time.GetTimestamp());
        }
        _schedule = null;
        return schedule.Latencies;
    }

    /// <summary>When each message is due, and what is known of those that were.</summary>
    private sealed class Schedule(long first, double rate, TimeProvider time)
    {
        private readonly LongHistogram _answered = new(LongestMicroseconds, Digits);
        private readonly LongHistogram _late = new(LongestMicroseconds, Digits);
        private long _next;

        public long Start { get; } = time.GetTimestamp();

        /// <summary>Messages that were due so far.</summary>
        public long Sent { get; private set; }

        /// <summary>Those of them whose results are there.</summary>
        public long Answered => Volatile.Read(ref _next);

        public Latencies Latencies => new(_answered, _late);

        /// <summary>How many messages are due that were not before.</summary>
        public int Due(TimeSpan elapsed)
        {
            var due = (long)(elapsed.TotalSeconds * rate);
            var count = (int)(due - Sent);
            for (; Sent < due; Sent++)
                Record(_late, elapsed, Sent);
            return count;
        }

        public void Answer(long processed, long now)
        {
            var elapsed = time.GetElapsedTime(Start, now);
            for (var next = _next; next < processed - first; Volatile.Write(ref _next, ++next))
                Record(_answered, elapsed, next);
        }

        private void Record(LongHistogram into, TimeSpan elapsed, long message) =>
            into.RecordValue(Math.Clamp((long)(elapsed.TotalMicroseconds - ((message + 1) * 1e6 / rate)), 0, LongestMicroseconds));
    }
}

/// <summary>How long messages took, in microseconds.</summary>
/// <param name="Answered">From when they were due until their results were there.</param>
/// <param name="Late">From when they were due until they were sent: the load's own part of that.</param>
internal sealed record Latencies(LongHistogram Answered, LongHistogram Late);
