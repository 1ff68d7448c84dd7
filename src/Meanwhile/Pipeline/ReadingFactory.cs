using System.Text;
using Meanwhile.Stores;

namespace Meanwhile.Pipeline;

/// <summary>Makes readings of messages, and says of the others why they are none.</summary>
internal sealed class ReadingFactory(AggregatorOptions options)
{
    // 2001-09-09. Devices that nobody has told the time count from 1970, 1980 or 2000.
    private const long Billion = 1_000_000_000_000;

    private const string NotSet = "its time is below 1e9 s since 1970, as that of a device whose clock is not set (quarantine replay --time arrival uses the time of arrival)";

    private readonly PayloadShape _shape = new();
    private readonly int _longestTopic = options.LongestSeries;
    private readonly string _tooFarAhead = $"its time is more than {options.MaxAhead.TotalSeconds:0.###} s ahead of the clock (--max-ahead)";

    /// <summary>Makes a reading of a message.</summary>
    /// <param name="arrived">Its time of arrival; milliseconds since the Unix epoch, as all times.</param>
    /// <param name="now">The clock.</param>
    /// <param name="reading">What it is; its identity lies in the payload.</param>
    /// <param name="reason">Why it is no reading, in words for a person; null when it is one.</param>
    public bool TryCreate(string topic, ReadOnlyMemory<byte> payload, long arrived, long now, out Reading reading, out string? reason)
    {
        reading = default;
        if (!options.Parser.TryParse(payload.Span, arrived, out var found, out reason, _shape))
            return false;
        if (found.Time > now + (long)options.MaxAhead.TotalMilliseconds)
            reason = _tooFarAhead;
        else if (found.Time < Billion && now >= Billion)
            reason = NotSet;
        else if (topic.Length > _longestTopic / 3 && Encoding.UTF8.GetByteCount(topic) > _longestTopic)
            reason = "its topic leaves no room for the topic of its results";
        else
            reading = new Reading(topic, found.Time, found.Value) { Identity = payload[found.Identity] };
        return reason is null;
    }
}
